import type { Ctx } from '../lib/ctx.ts'
import { containerEvent } from '../model/event.ts'
import type { Deps } from './deps.ts'
import type { Execs } from './exec.ts'
import type { CreateExec, ExecRecord, Session } from './types.ts'

/** Creates an exec, and tells so; begins it if that is asked for. */
export function createExec(ctx: Ctx, deps: Deps, execs: Execs, ref: string, options: CreateExec): ExecRecord {
  const record = execs.create(deps, ref, options)
  tell(deps, record, 'exec_create')
  if (options.start) execs.keepBegun(record.id, begin(ctx, deps, execs, record.id))
  return record
}

/** Starts an exec, or takes the session of one that was begun. */
export function startExec(ctx: Ctx, deps: Deps, execs: Execs, execId: string): Promise<Session> {
  return execs.takeBegun(execId) ?? begin(ctx, deps, execs, execId)
}

/** Tells the start, and the end. */
async function begin(ctx: Ctx, deps: Deps, execs: Execs, execId: string): Promise<Session> {
  const session = await execs.start(ctx, deps, execId)
  const record = execs.record(execId)
  tell(deps, record, 'exec_start')
  void session.exit
    .then(({ exitCode }) => tell(deps, record, 'exec_die', { exitCode: String(exitCode) }))
    .catch((error) => ctx.log.warn('the end of an exec is not told', { execId, error }))
  return session
}

const MAX_COMMAND_CHARACTERS = 1024

/** An exec lives in memory only: no transaction waits to tell of it, and the exec does not wait for one. */
function tell({ store }: Deps, record: ExecRecord, action: string, attributes: { exitCode?: string } = {}): void {
  const execAttributes = { execId: record.id, command: record.command.join(' ').slice(0, MAX_COMMAND_CHARACTERS) }
  store.writeSoon((tx) => {
    const container = tx.getByUid('Container', record.containerId)
    if (container === undefined) return
    tx.event(containerEvent(container, action, { ...execAttributes, ...attributes }))
  })
}
