import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { systemCode } from '../lib/errors.ts'
import type { Container } from '../model/container.ts'
import type { Deps } from './deps.ts'
import type { ContainerUsage } from './types.ts'
import type { VolumeUsage } from './volume-types.ts'
import { listVolumes } from './volumes.ts'

/** What a container has on disk apart from its image's layers. */
export async function containerUsage(ctx: Ctx, deps: Deps, container: Container): Promise<ContainerUsage> {
  const { uid } = container.metadata
  const [writableBytes, logBytes] = await Promise.all([
    deps.snapshots.measureTree(ctx, deps.paths.upper(uid)),
    logSize(deps.paths.log(uid)),
  ])
  return { container, writableBytes, logBytes }
}

/** One after the other: the Worker that measures does one thing at a time. */
export async function allUsage(ctx: Ctx, deps: Deps): Promise<ContainerUsage[]> {
  const found: ContainerUsage[] = []
  for (const container of deps.store.read((tx) => tx.list('Container'))) {
    found.push(await containerUsage(ctx, deps, container))
  }
  return found
}

export async function volumeUsage(ctx: Ctx, deps: Deps): Promise<VolumeUsage[]> {
  const found: VolumeUsage[] = []
  for (const view of listVolumes(deps, {})) {
    const usedBytes = await deps.snapshots.measureTree(ctx, deps.paths.volume(view.volume.metadata.name))
    found.push({ ...view, usedBytes })
  }
  return found
}

/** With the rotated ones. */
async function logSize(file: string): Promise<number> {
  const directory = dirname(file)
  const names = await readdir(directory).catch(ignoreMissing)
  const sizes = await Promise.all((names ?? []).map((name) => stat(join(directory, name)).catch(ignoreMissing)))
  return sizes.reduce((sum, one) => sum + (one?.size ?? 0), 0)
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
