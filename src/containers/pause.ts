import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { assertRunning, type Container, containerState } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import type { Deps } from './deps.ts'
import { findContainer, findOwn } from './find.ts'
import { unlessEnded } from './unless-ended.ts'

/** Freezes all processes. @throws {StatusError} `not_found`; `failed_precondition` unless it runs */
export async function pauseContainer(ctx: Ctx, deps: Deps, ref: string): Promise<Container> {
  const { store, locks, runtime } = deps
  const id = store.read((tx) => findOwn(tx, ref, 'pause')).metadata.uid
  using _lock = await locks.hold(ctx, id)
  const { metadata, status } = store.read((tx) => findContainer(tx, id))
  if (containerState(status) === 'paused') {
    throw new StatusError('failed_precondition', `Cannot pause container "${metadata.name}": it is already paused`)
  }
  assertRunning(metadata.name, status, 'pause')
  await unlessEnded(deps, id, 'pause', () => runtime.pause(ctx, id))
  // A daemon that ends here finds it frozen at the next boot.
  failpoint('pause.record')
  const container = recordPause(deps, id, Date.now(), 'pause')
  await store.durable()
  return container
}

/** Lets a paused container go on. @throws {StatusError} `not_found`; `failed_precondition` unless it is paused */
export async function unpauseContainer(ctx: Ctx, deps: Deps, ref: string): Promise<Container> {
  const { store, locks } = deps
  const id = store.read((tx) => findOwn(tx, ref, 'unpause')).metadata.uid
  using _lock = await locks.hold(ctx, id)
  const { metadata, status } = store.read((tx) => findContainer(tx, id))
  if (containerState(status) !== 'paused') {
    throw new StatusError('failed_precondition', `Cannot unpause container "${metadata.name}": it is not paused`)
  }
  const container = await resume(deps, id)
  await store.durable()
  return container
}

/** For a signal that is to end it: what is frozen takes none. */
export async function resumeIfPaused(deps: Deps, { metadata }: Container): Promise<void> {
  const current = deps.store.read((tx) => tx.getByUid('Container', metadata.uid))
  if (current?.status.pausedAt !== undefined) await resume(deps, metadata.uid)
}

async function resume(deps: Deps, id: string): Promise<Container> {
  failpoint('unpause.resume')
  await deps.runtime.resume(deps.paths.bundle(id))
  return recordPause(deps, id, undefined, 'unpause')
}

function recordPause({ store }: Deps, id: string, pausedAt: number | undefined, action: string): Container {
  return store.write((tx) => {
    tx.event(containerEvent(findContainer(tx, id), action))
    return tx.putStatus('Container', id, { pausedAt })
  })
}
