import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import type { Fault } from '../model/finding.ts'
import { shortId } from '../model/names.ts'
import type { Deps } from './deps.ts'
import { podsWithVolumes, removePodVolumes } from './pod-volumes.ts'
import { sandboxKey } from './sandbox.ts'

/**
 * What is there for containers that no record names. It is looked at before the records are: what is made later has
 * its record first, and what is removed meanwhile is gone when it is looked at again.
 */
export async function findStrays(
  ctx: Ctx,
  deps: Deps,
  monitors: 'running' | 'unclaimed' = 'running',
): Promise<Fault[]> {
  const first = await look(deps, monitors)
  const known = deps.store.read((tx) => ({
    ids: new Set(tx.list('Container').map(({ metadata }) => metadata.uid)),
    containers: new Set(tx.list('Container').map(({ metadata }) => shortId(metadata.uid))),
    sandboxes: new Set(tx.list('Sandbox').map(sandboxKey)),
    pods: new Set(tx.list('Pod').map(({ metadata }) => metadata.uid)),
  }))
  const unknown = {
    runtime: first.runtime.filter(({ id }) => !known.ids.has(id)),
    netns: first.netns.filter((key) => !known.sandboxes.has(key)),
    bundles: first.bundles.filter((name) => !known.containers.has(name)),
    directories: first.directories.filter((name) => !known.containers.has(name)),
    pods: first.pods.filter((uid) => !known.pods.has(uid)),
  }
  if (Object.values(unknown).every((list) => list.length === 0)) return []
  const second = await look(deps, monitors)
  return [
    ...unknown.runtime
      .filter(({ id, what }) => second.runtime.some((other) => other.id === id && other.what === what))
      .map(
        (found): Fault => ({
          part: 'process',
          subject: `container ${shortId(found.id)}`,
          problem: `no record names it, but ${found.what}`,
          mend: () => deps.runtime.deleteStray(ctx, found.id, deps.paths.bundle(found.id)),
        }),
      ),
    ...still(unknown.netns, second.netns).map(
      (key): Fault => ({
        part: 'network',
        subject: `network namespace ${key}`,
        problem: 'no record names it',
        mend: () => deps.network.tearDown(ctx, key),
      }),
    ),
    ...still(unknown.bundles, second.bundles).map((name): Fault => {
      const path = join(deps.paths.bundlesDir, name)
      return {
        part: 'file',
        subject: path,
        problem: 'no record names it',
        mend: async () => {
          for (const mounted of ['rootfs', 'shm']) await deps.snapshots.unmount(join(path, mounted))
          await rm(path, { recursive: true, force: true })
        },
      }
    }),
    ...still(unknown.directories, second.directories).map((name): Fault => {
      const path = join(deps.paths.containersDir, name)
      return {
        part: 'file',
        subject: path,
        problem: 'no record names it',
        mend: () => deps.snapshots.removeTree(path),
      }
    }),
    ...still(unknown.pods, second.pods).map(
      (uid): Fault => ({
        part: 'file',
        subject: `volumes of pod ${uid}`,
        problem: 'no record names it',
        mend: () => removePodVolumes(ctx, deps, uid),
      }),
    ),
  ]
}

async function look({ runtime, network, paths }: Deps, monitors: 'running' | 'unclaimed') {
  const [netns, bundles, directories, pods] = await Promise.all([
    network.listNetns(),
    readdir(paths.bundlesDir),
    readdir(paths.containersDir),
    podsWithVolumes(paths),
  ])
  return { runtime: runtime.list(monitors), netns, bundles, directories, pods }
}

function still(names: readonly string[], there: readonly string[]): string[] {
  return names.filter((name) => there.includes(name))
}
