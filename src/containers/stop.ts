import { type Ctx, detached } from '../lib/ctx.ts'
import { deadline } from '../lib/deadline.ts'
import { hasCode, StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { assertAlive, type Container, containerState, isAlive, isOfPod } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import { isEndedUnhealthy } from '../model/restart-policy.ts'
import { parseSignal, SIGKILL } from '../model/signal.ts'
import { cancelRestart } from './cancel-restart.ts'
import type { Deps } from './deps.ts'
import { findContainer, findOwn } from './find.ts'
import { resumeIfPaused } from './pause.ts'
import { tearDown } from './tear-down.ts'

export interface StopOptions {
  readonly timeoutMs?: number
  /** In place of a time: SIGKILL comes when it ends. */
  readonly grace?: AbortSignal
  readonly signal?: string
}

/** How long the kernel may take to end a process after SIGKILL: long only for one in uninterruptible sleep. */
const KILL_TIMEOUT_MS = 10_000

/** SIGTERM (or the container's own stop signal), a grace period, SIGKILL; resolves when all it used is down. */
export async function stopContainer(
  ctx: Ctx,
  deps: Deps,
  ref: string,
  options: StopOptions,
): Promise<{ container: Container; changed: boolean }> {
  const { store, locks } = deps
  const id = store.read((tx) => findOwn(tx, ref, 'stop')).metadata.uid
  using _lock = await locks.hold(ctx, id)
  return await stopHeld(ctx, deps, id, options)
}

/** As `stopContainer`, for a caller who holds the container's lock. */
export async function stopHeld(
  ctx: Ctx,
  deps: Deps,
  id: string,
  options: StopOptions,
): Promise<{ container: Container; changed: boolean }> {
  const { store } = deps
  const container = store.read((tx) => findContainer(tx, id))
  if (containerState(container.status) === 'restarting') {
    failpoint('stop.cancel')
    const stopped = cancelRestart(deps, container, 'stop')
    await store.durable()
    return { container: stopped, changed: true }
  }
  if (container.status.pid === undefined) return { container, changed: false }
  const signal = parseSignal(options.signal ?? container.spec.stopSignal)

  failpoint('stop.signal')
  store.write((tx) => tx.putStatus('Container', id, { stopRequestedAt: Date.now() }))
  const { grace, timeoutMs = grace === undefined ? container.spec.stopTimeoutMs : Infinity } = options
  using within = deadline(grace, timeoutMs)
  await endProcess(ctx, deps, container, signal, within.signal)
  await tearDown(ctx, deps, container)
  store.write((tx) => tx.event(containerEvent(container, 'stop')))
  if (!isOfPod(container)) await store.durable()
  return { container: store.read((tx) => tx.getByUid('Container', id)) ?? container, changed: true }
}

/** Ends an unhealthy container, if that is asked for: its end is then one that a restart follows. */
export async function endUnhealthy(ctx: Ctx, deps: Deps, id: string): Promise<void> {
  using _lock = await deps.locks.hold(ctx, id)
  const container = deps.store.read((tx) => tx.getByUid('Container', id))
  if (container === undefined || !isAlive(container.status) || !isEndedUnhealthy(container)) return
  failpoint('restart.unhealthy')
  const { stopSignal, stopTimeoutMs } = container.spec
  using within = deadline(undefined, stopTimeoutMs)
  await endProcess(ctx, deps, container, parseSignal(stopSignal), within.signal)
  await tearDown(ctx, deps, container)
}

/**
 * Sends a signal, without waiting for what it does and without the lock: a stop that waits can be hurried by a kill.
 * A paused container goes on if the signal is to end it; any other waits for the unpause.
 */
export async function killContainer(deps: Deps, ref: string, signal: string): Promise<Container> {
  const number = parseSignal(signal)
  const container = deps.store.read((tx) => findContainer(tx, ref))
  const { pid, pidStartTime } = container.status
  const ends = number === SIGKILL || number === parseSignal(container.spec.stopSignal)
  if (ends && containerState(container.status) === 'restarting') return cancelRestart(deps, container, 'kill')
  assertAlive(container.metadata.name, container.status, 'kill')
  // Before the signal, so that its end finds it: what a user has ended is not restarted.
  if (ends) deps.store.write((tx) => tx.putStatus('Container', container.metadata.uid, { stopRequestedAt: Date.now() }))
  if (deps.runtime.signal(pid!, pidStartTime!, number)) tellKill(deps, container, number)
  if (ends) await resumeIfPaused(deps, container)
  return container
}

/** SIGKILL follows when `grace` ends; at once if that has been. */
async function endProcess(
  ctx: Ctx,
  deps: Deps,
  container: Container,
  signal: number,
  grace: AbortSignal,
): Promise<void> {
  const { pid, pidStartTime } = container.status
  const id = container.metadata.uid
  const send = (number: number) => {
    if (deps.runtime.signal(pid!, pidStartTime!, number)) tellKill(deps, container, number)
  }
  if (signal !== SIGKILL && !grace.aborted) {
    const exited = endedInTime(deps.exits.next({ ...ctx, signal: grace }, id))
    send(signal)
    await resumeIfPaused(deps, container)
    if (await exited) return
  }
  const killed = deps.exits.next(detached(ctx, KILL_TIMEOUT_MS), id)
  if (deps.store.read((tx) => tx.getByUid('Container', id))?.status.pid === undefined) return
  send(SIGKILL)
  await resumeIfPaused(deps, container)
  if (await endedInTime(killed)) return
  throw new StatusError(
    'deadline_exceeded',
    `Cannot stop container "${container.metadata.name}": process ${pid} has not ended ${KILL_TIMEOUT_MS / 1000} s after SIGKILL`,
  )
}

function tellKill({ store }: Deps, container: Container, signal: number): void {
  store.write((tx) => tx.event(containerEvent(container, 'kill', { signal: String(signal) })))
}

async function endedInTime(exit: Promise<unknown>): Promise<boolean> {
  try {
    await exit
    return true
  } catch (error) {
    if (hasCode(error, 'deadline_exceeded')) return false
    throw error
  }
}
