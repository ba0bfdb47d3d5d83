import type { Container } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import { restartAfter } from '../model/restart-policy.ts'
import type { Deps } from './deps.ts'

/** How a container's process ended, as the runtime saw it. */
export interface ProcessExit {
  readonly id: string
  readonly exitCode: number
  readonly oomKilled: boolean
  /** ms */
  readonly finishedAt: number
  /** Set where the exit code is not the process's own: `LostExitCode`. */
  readonly reason?: string
  readonly message?: string
}

/**
 * Writes the facts of an exit, once, with the time of the restart that is due, and wakes who waits. Synchronous: no lock
 * is needed, and stop can wait holding it.
 */
export function recordExit({ store, exits }: Deps, exit: ProcessExit): Container | undefined {
  const container = store.write((tx) => {
    const current = tx.getByUid('Container', exit.id)
    if (current?.status.pid === undefined) return undefined
    const { exitCode, oomKilled, finishedAt, message } = exit
    const reason = exit.reason ?? (oomKilled ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error')
    // It has ended before its start was recorded: that is told here.
    const isEarly = current.status.startedAt === undefined
    if (isEarly) tx.event(containerEvent(current, 'start'))
    if (oomKilled) tx.event(containerEvent(current, 'oom'))
    tx.event(containerEvent(current, 'die', dieAttributes(current, exit, reason)))
    return tx.putStatus('Container', exit.id, {
      pid: undefined,
      pidStartTime: undefined,
      pausedAt: undefined,
      startedAt: current.status.startedAt ?? current.status.setUpAt,
      finishedAt,
      exitCode,
      oomKilled,
      reason,
      message,
      restartCount: current.status.restartCount + (isEarly && current.status.nextRestartAt !== undefined ? 1 : 0),
      ...restartAfter(current, exit),
    })
  })
  if (container !== undefined) exits.notify(exit.id, { exitCode: exit.exitCode, oomKilled: exit.oomKilled })
  return container
}

function dieAttributes({ status }: Container, { exitCode, finishedAt }: ProcessExit, reason: string) {
  const ranMs = finishedAt - (status.startedAt ?? finishedAt)
  return { exitCode: String(exitCode), reason, execDuration: String(Math.max(0, Math.round(ranMs / 1000))) }
}
