import type { Ctx } from '../lib/ctx.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { type Container, isAlive, type Resources } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import { validateResources } from '../model/resources.ts'
import { restartAfter } from '../model/restart-policy.ts'
import { ociLimits } from '../runtime/index.ts'
import type { WriteTx } from '../store/index.ts'
import { assertHostCanLimit } from './assert-host-has.ts'
import { assertMayRestart } from './assert-options-agree.ts'
import { tellEnd } from './cancel-restart.ts'
import type { Deps } from './deps.ts'
import { findContainer, findOwn } from './find.ts'
import type { ContainerUpdate } from './types.ts'

/**
 * Changes what is given and keeps the rest; limits at once if the container runs.
 * @throws {StatusError} `invalid_argument`, `not_found`; `failed_precondition` if the kernel refuses them now
 */
export async function updateContainer(
  ctx: Ctx,
  deps: Deps,
  ref: string,
  { resources: limits = {}, restart }: ContainerUpdate,
): Promise<Container> {
  const { store, locks } = deps
  if (Object.keys(limits).length === 0 && restart === undefined) {
    throw new StatusError('invalid_argument', 'Nothing to update: give at least one limit, or a restart policy')
  }
  const id = store.read((tx) => findOwn(tx, ref, 'update')).metadata.uid
  using _lock = await locks.hold(ctx, id)
  const before = store.read((tx) => findContainer(tx, id))
  assertMayRestart(before.spec.autoRemove, restart)
  const resources = merge(before.spec.resources, limits)
  validateResources(resources)
  await assertHostCanLimit(deps.runtime.host, limits)
  if (isAlive(before.status) && Object.keys(limits).length > 0) await apply(ctx, deps, before, resources)
  failpoint('update.record')
  const container = store.write((tx) => {
    const current = findContainer(tx, id)
    tx.event(containerEvent(current, 'update'))
    const spec = { ...current.spec, resources, ...(restart !== undefined && { restart }) }
    return withPolicy(tx, tx.put('Container', { ...current, spec }))
  })
  if (before.status.nextRestartAt !== undefined && container.status.nextRestartAt === undefined)
    tellEnd(deps, container)
  await store.durable()
  return container
}

/** A restart that is due is so no more if the policy does not want it now. */
function withPolicy(tx: WriteTx, container: Container): Container {
  const { exitCode = 0, finishedAt = 0, nextRestartAt } = container.status
  const due = restartAfter(container, { exitCode, finishedAt })
  if (nextRestartAt === undefined || due.nextRestartAt !== undefined) return container
  return tx.putStatus('Container', container.metadata.uid, due)
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
