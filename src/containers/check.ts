import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import type { Ctx } from '../lib/ctx.ts'
import { forEachLimited } from '../lib/for-each-limited.ts'
import { isAlive } from '../model/container.ts'
import { type CheckedFinding, type Fault, settleFaults } from '../model/finding.ts'
import { faultsOfContainer } from './check-container.ts'
import { faultsOfNetworks, faultsOfRules } from './check-networks.ts'
import { faultsOfRecords } from './check-records.ts'
import type { Deps } from './deps.ts'
import { findStrays } from './strays.ts'
import { makeVolumeDirectory, volumeData, volumeLock } from './volumes.ts'

const PARALLEL = 8
/** Between the end of a process and its record, on a machine that has much to do. */
const EXIT_MS = 10_000

/**
 * Compares the records with each other, with the kernel and with the disk, each container under its lock, and mends
 * what it may. Safe at any time: what is under way is waited for.
 *
 * @param cleanUps what is due after the ends of containers, by id
 */
export async function checkContainers(
  ctx: Ctx,
  deps: Deps,
  cleanUps: ReadonlyMap<string, Promise<void>>,
  repair: boolean,
): Promise<CheckedFinding[]> {
  const findings: CheckedFinding[] = []
  const settle = async (faults: readonly Fault[]) => void findings.push(...(await settleFaults(faults, repair)))

  await settle(faultsOfRecords(deps))
  // Bridges before what is plugged into them.
  await faultsOfNetworks(ctx, deps, settle)
  const ids = deps.store.read((tx) => tx.list('Container').map(({ metadata }) => metadata.uid))
  await forEachLimited(PARALLEL, ids, (id) => checkContainer(ctx, deps, id, cleanUps, settle))
  await settle(await findStrays(ctx, deps))
  await settle(await faultsOfRules(ctx, deps))
  await faultsOfVolumes(ctx, deps, settle)
  return findings
}

type Settle = (faults: readonly Fault[]) => Promise<void>

async function checkContainer(
  ctx: Ctx,
  deps: Deps,
  id: string,
  cleanUps: ReadonlyMap<string, Promise<void>>,
  settle: Settle,
): Promise<void> {
  for (let waited = false; ; ) {
    await cleanUps.get(id)
    using _lock = await deps.locks.hold(ctx, id)
    const container = deps.store.read((tx) => tx.getByUid('Container', id))
    if (container === undefined) return
    const { status } = container
    // It has ended meanwhile, and is about to be taken down, or its end to be recorded.
    if (!isAlive(status) && cleanUps.has(id)) continue
    if (!waited && isAlive(status) && !deps.runtime.signal(status.pid!, status.pidStartTime!, 0)) {
      waited = true
      await deps.exits.next({ ...ctx, signal: AbortSignal.timeout(EXIT_MS) }, id).catch(() => {})
      continue
    }
    return await settle(await faultsOfContainer(ctx, deps, container))
  }
}

async function faultsOfVolumes(ctx: Ctx, deps: Deps, settle: Settle): Promise<void> {
  const { store, paths, locks } = deps
  const directories = await namesIn(paths.volumesDir)
  const names = store.read((tx) => tx.list('Volume').map(({ metadata }) => metadata.name))
  for (const name of names) {
    using _lock = await locks.hold(ctx, volumeLock(name))
    const volume = store.read((tx) => tx.get('Volume', name))
    if (volume === undefined || existsSync(volumeData(paths, name))) continue
    const problem = `${volumeData(paths, name)} is gone, and what was in it`
    await settle([{ part: 'volume', subject: `volume ${name}`, problem, mend: () => makeVolumeDirectory(deps, name) }])
  }
  const advice = '"raind volume create" of that name takes it in; or remove the directory'
  await settle(
    directories
      .filter((name) => !names.includes(name) && existsSync(paths.volume(name)))
      .map((name): Fault => ({ part: 'volume', subject: paths.volume(name), problem: 'no record names it', advice })),
  )
}

async function namesIn(directory: string): Promise<string[]> {
  return existsSync(directory) ? await readdir(directory) : []
}
