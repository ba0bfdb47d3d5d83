import type { Ctx } from '../lib/ctx.ts'
import { messageOf } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { restartAfter, restartDueInMs, startsWithDaemon } from '../model/restart-policy.ts'
import type { Deps } from './deps.ts'
import { startHeld } from './start.ts'
import { stopHeld } from './stop.ts'

/** Docker's for a start that failed for other reasons than its command. */
const START_FAILED = 128

/**
 * Starts a container whose restart is due. Does nothing if that is not so any more. One that cannot be started is due
 * again later, as if it had failed at once.
 */
export async function restartDue(ctx: Ctx, deps: Deps, id: string): Promise<void> {
  using _lock = await deps.locks.hold(ctx, id)
  const container = deps.store.read((tx) => tx.getByUid('Container', id))
  if (container === undefined || container.status.removingAt !== undefined) return
  if (restartDueInMs(container.status, Date.now()) !== 0) return
  failpoint('restart.start')
  try {
    const { status } = await startHeld(ctx, deps, id, { byPolicy: true })
    // Somebody has ended it while it was being started.
    if (status.stopRequestedAt !== undefined) await stopHeld(ctx, deps, id, {})
  } catch (error) {
    if (ctx.signal.aborted) throw error
    failpoint('restart.postpone')
    postpone(deps, id, error)
  }
}

function postpone({ store, log }: Deps, id: string, error: unknown): void {
  const message = messageOf(error)
  const container = store.write((tx) => {
    const current = tx.getByUid('Container', id)
    if (current?.status.nextRestartAt === undefined) return current
    const restartCount = current.status.restartCount + 1
    const status = { ...current.status, startedAt: undefined, restartCount }
    const due = restartAfter({ ...current, status }, { exitCode: START_FAILED, finishedAt: Date.now() })
    return tx.putStatus('Container', id, { ...due, restartCount, reason: 'StartError', message })
  })
  const { restartCount, nextRestartAt } = container?.status ?? {}
  log.warn('a restart has failed', { containerId: id, error, restartCount, nextRestartAt })
}

/** At boot, for a container that does not run: its restart is due at once if its policy says so. */
export function scheduleAtBoot({ store }: Deps, id: string): void {
  store.write((tx) => {
    const container = tx.getByUid('Container', id)
    if (container === undefined || !startsWithDaemon(container)) return
    tx.putStatus('Container', id, { nextRestartAt: Date.now(), restartDelayMs: undefined, stopRequestedAt: undefined })
  })
}
