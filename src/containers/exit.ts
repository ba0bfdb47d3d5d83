import { type Ctx, detached } from '../lib/ctx.ts'
import type { Container } from '../model/container.ts'
import type { Deps } from './deps.ts'
import { removeContainer } from './remove.ts'
import { tearDown } from './tear-down.ts'

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

/** Writes the facts of an exit, once, and wakes who waits. Synchronous: no lock is needed, and stop can wait holding it. */
export function recordExit({ store, exits }: Deps, exit: ProcessExit): Container | undefined {
  const container = store.write((tx) => {
    const current = tx.getByUid('Container', exit.id)
    if (current?.status.pid === undefined) return undefined
    const { exitCode, oomKilled, finishedAt, message } = exit
    const reason = exit.reason ?? (oomKilled ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error')
    const { uid, name } = current.metadata
    if (oomKilled) tx.event({ kind: 'Container', action: 'oom', uid, name, attributes: {} })
    tx.event({ kind: 'Container', action: 'die', uid, name, attributes: { exitCode: String(exitCode), reason } })
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
    })
  })
  if (container !== undefined) exits.notify(exit.id, { exitCode: exit.exitCode, oomKilled: exit.oomKilled })
  return container
}

/** After a container's process has ended by itself: takes down what it used, and removes it if it asked for that. */
export async function cleanUpAfterExit(ctx: Ctx, deps: Deps, id: string): Promise<void> {
  const within = detached(ctx, 60_000)
  using _lock = await deps.locks.hold(within, id)
  const container = deps.store.read((tx) => tx.getByUid('Container', id))
  if (container === undefined || container.status.pid !== undefined) return
  if (container.spec.autoRemove) await removeContainer(within, deps, id, { volumes: true })
  else await tearDown(within, deps, container)
}
