import type { Ctx } from '../lib/ctx.ts'
import { hasCode, messageOf } from '../lib/errors.ts'
import { forEachLimited } from '../lib/for-each-limited.ts'
import { type Container, containerState, isUsersOwn } from '../model/container.ts'
import { pruneEvent } from '../model/event.ts'
import { matchesPrune, type Pruned, type PruneFilter } from '../model/prune.ts'
import { removeNetwork } from './create-network.ts'
import type { Deps } from './deps.ts'
import { listNetworks } from './list.ts'
import { removeContainer } from './remove.ts'
import { containerUsage } from './usage.ts'
import { listVolumes, removeVolume } from './volumes.ts'

const AT_ONCE = 4

/** Removes containers that do not run. One that cannot be removed does not keep the others. */
export async function pruneContainers(ctx: Ctx, deps: Deps, filter: PruneFilter): Promise<Pruned> {
  const { store, locks } = deps
  const found = store
    .read((tx) => tx.list('Container'))
    .filter((container) => isPrunable(container) && matchesPrune(container.metadata, filter))
  let reclaimedBytes = 0
  const result = await removeEach(deps, found, async ({ metadata: { uid } }) => {
    using _lock = await locks.hold(ctx, uid)
    const container = store.read((tx) => tx.getByUid('Container', uid))
    if (container === undefined || !isPrunable(container)) return false
    const { writableBytes, logBytes } = await containerUsage(ctx, deps, container)
    await removeContainer(ctx, deps, uid)
    reclaimedBytes += writableBytes + logBytes
    return true
  })
  store.write((tx) => tx.event(pruneEvent('Container', { reclaimedBytes })))
  await store.durable()
  return { ...result, reclaimedBytes }
}

/** Removes networks that no container is attached to, whether it runs or not; the default one stays. */
export async function pruneNetworks(ctx: Ctx, deps: Deps, filter: PruneFilter): Promise<Pruned> {
  const found = listNetworks(deps.store, { unused: true }).filter(
    ({ metadata }) => metadata.name !== deps.defaults.network && matchesPrune(metadata, filter),
  )
  const result = await removeEach(deps, found, ({ metadata }) => unlessInUse(removeNetwork(ctx, deps, metadata.name)))
  deps.store.write((tx) => tx.event(pruneEvent('Network', { reclaimedBytes: 0 })))
  return { ...result, reclaimedBytes: 0 }
}

/** Removes volumes that no container uses: those without a name, with `all` every one. */
export async function pruneVolumes(
  ctx: Ctx,
  deps: Deps,
  { all = false, ...filter }: PruneFilter & { readonly all?: boolean },
): Promise<Pruned> {
  const found = listVolumes(deps, { dangling: true }).filter(
    ({ volume: { metadata, spec } }) => (all || spec.anonymous) && matchesPrune(metadata, filter),
  )
  let reclaimedBytes = 0
  const result = await removeEach(
    deps,
    found.map(({ volume }) => volume),
    async ({ metadata: { name } }) => {
      const bytes = await deps.snapshots.measureTree(ctx, deps.paths.volume(name))
      const removed = await unlessInUse(removeVolume(ctx, deps, name))
      if (removed) reclaimedBytes += bytes
      return removed
    },
  )
  deps.store.write((tx) => tx.event(pruneEvent('Volume', { reclaimedBytes })))
  return { ...result, reclaimedBytes }
}

/** False where a container has come, or somebody else was faster. */
async function unlessInUse(removal: Promise<void>): Promise<boolean> {
  try {
    await removal
    return true
  } catch (error) {
    if (hasCode(error, 'conflict') || hasCode(error, 'not_found')) return false
    throw error
  }
}

function isPrunable(container: Container): boolean {
  return isUsersOwn(container) && ['created', 'stopped'].includes(containerState(container.status))
}

/** `remove` resolves with whether it did. */
async function removeEach<T extends { readonly metadata: { readonly name: string } }>(
  { log }: Deps,
  found: readonly T[],
  remove: (one: T) => Promise<boolean>,
): Promise<Omit<Pruned, 'reclaimedBytes'>> {
  const removed: string[] = []
  const failed: { name: string; message: string }[] = []
  await forEachLimited(AT_ONCE, found, async (one) => {
    const { name } = one.metadata
    try {
      if (await remove(one)) removed.push(name)
    } catch (error) {
      log.warn('prune could not remove this', { name, error })
      failed.push({ name, message: messageOf(error) })
    }
  })
  return { removed, ...(failed.length > 0 && { failed }) }
}
