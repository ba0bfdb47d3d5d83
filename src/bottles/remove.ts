import type { Ctx } from '../lib/ctx.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Bottle } from '../model/bottle.ts'
import { eventOf } from '../model/event.ts'
import { allOf, alongDependencies, reversed } from './along-dependencies.ts'
import type { Deps } from './deps.ts'
import { membersOf, replicasOf } from './members.ts'
import { ownNetworks, ownVolumes, removeFiles } from './parts.ts'
import type { Member, RemoveBottle } from './types.ts'

/**
 * Removes a bottle and all it has: serves the user's delete, the roll-back of a failed registration and recovery, so also
 * for one half made or half removed. The record goes last. The caller holds its lock.
 */
export async function removeBottle(ctx: Ctx, deps: Deps, uid: string, options: RemoveBottle = {}): Promise<void> {
  const { store, containers } = deps
  const { tell = () => {}, volumes = false } = options
  failpoint('bottle.remove.mark')
  const bottle = store.write((tx) => {
    const found = tx.getByUid('Bottle', uid)
    const removingAt = found?.status.removingAt ?? Date.now()
    return found && tx.putStatus('Bottle', uid, { removingAt, ...(volumes && { removesVolumes: true }) })
  })
  if (bottle === undefined) return
  await endMembers(ctx, deps, bottle, options, async (member) => {
    await containers.owned.remove(ctx, member.container.metadata.uid)
    tell({ what: 'container', name: member.container.metadata.name, service: member.service, did: 'removed' })
  })
  failpoint('bottle.remove.parts')
  for (const name of ownNetworks(deps, bottle)) {
    await containers.removeNetwork(ctx, name)
    tell({ what: 'network', name, did: 'removed' })
  }
  for (const name of bottle.status.removesVolumes ? ownVolumes(deps, bottle) : []) {
    await containers.volumes.remove(ctx, name)
    tell({ what: 'volume', name, did: 'removed' })
  }
  await removeFiles(deps, bottle)
  failpoint('bottle.remove.record')
  store.write((tx) => {
    tx.delete('Bottle', uid)
    tx.event(eventOf('Bottle', bottle, 'remove'))
  })
  await store.durable()
}

/** Stops what runs, each service before those it depends on, and does the rest with each. */
export async function endMembers(
  ctx: Ctx,
  deps: Deps,
  bottle: Bottle,
  { timeoutMs, services, tell = () => {} }: RemoveBottle & { readonly services?: readonly string[] },
  then: (member: Member) => Promise<void> = async () => {},
): Promise<void> {
  const members = deps.store.read((tx) => membersOf(tx, bottle))
  // Of services that the bottle had once, too.
  const names = new Set([...Object.keys(bottle.spec.services), ...members.map(({ service }) => service)])
  const wanted = [...names].filter((name) => services === undefined || services.includes(name))
  const graph = Object.fromEntries(wanted.map((name) => [name, bottle.spec.services[name] ?? { dependsOn: {} }]))
  await alongDependencies(reversed(graph), ctx.signal, async (service) => {
    await allOf(replicasOf(members, service), async (member) => {
      const { metadata, status } = member.container
      if (status.pid !== undefined || status.nextRestartAt !== undefined) {
        await deps.containers.owned.stop(ctx, metadata.uid, timeoutMs === undefined ? {} : { timeoutMs })
        tell({ what: 'container', name: metadata.name, service, did: 'stopped' })
      }
      await then(member)
    })
  })
}
