import type { Ctx } from '../lib/ctx.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { type Container, isAlive, type Resources } from '../model/container.ts'
import { validateResources } from '../model/resources.ts'
import { ociLimits } from '../runtime/index.ts'
import { assertHostCanLimit } from './assert-host-has.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'

/**
 * Changes the limits that are given and keeps the others; at once if the container runs.
 * @throws {StatusError} `invalid_argument`, `not_found`; `failed_precondition` if the kernel refuses them now
 */
export async function updateContainer(ctx: Ctx, deps: Deps, ref: string, changes: Resources): Promise<Container> {
  const { store, locks } = deps
  if (Object.keys(changes).length === 0) {
    throw new StatusError('invalid_argument', 'Nothing to update: give at least one limit')
  }
  const id = store.read((tx) => findContainer(tx, ref)).metadata.uid
  using _lock = await locks.hold(ctx, id)
  const before = store.read((tx) => findContainer(tx, id))
  const resources = merge(before.spec.resources, changes)
  validateResources(resources)
  await assertHostCanLimit(deps.runtime.host, changes)
  if (isAlive(before.status)) await apply(ctx, deps, before, resources)
  failpoint('update.record')
  const container = store.write((tx) => {
    const current = findContainer(tx, id)
    tx.event({ kind: 'Container', action: 'update', uid: id, name: current.metadata.name, attributes: {} })
    return tx.put('Container', { ...current, spec: { ...current.spec, resources } })
  })
  await store.durable()
  return container
}

/** A limit with swap that came with the memory limit does not outlive that one. */
function merge(before: Resources, changes: Resources): Resources {
  const { memorySwapBytes: _, ...withoutSwap } = before
  const tooSmall = (before.memorySwapBytes ?? -1) !== -1 && before.memorySwapBytes! < (changes.memoryBytes ?? 0)
  return { ...(tooSmall ? withoutSwap : before), ...changes }
}

/** Puts the old limits back if one of the new ones is refused. */
async function apply(ctx: Ctx, { runtime, paths, log }: Deps, container: Container, resources: Resources) {
  const { metadata, spec } = container
  const set = (to: Resources) =>
    runtime.update(ctx, metadata.uid, paths.bundle(metadata.uid), ociLimits(to, runtime.host))
  try {
    await set(resources)
  } catch (cause) {
    await set(spec.resources).catch((error) =>
      log.error('a failed update of limits could not be undone', { containerId: metadata.uid, error }),
    )
    throw new StatusError('failed_precondition', `Cannot update container "${metadata.name}": ${messageOf(cause)}`, {
      cause,
    })
  }
}
