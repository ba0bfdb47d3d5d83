import type { Ctx } from '../lib/ctx.ts'
import { containerEvent } from '../model/event.ts'
import type { Deps } from './deps.ts'
import type { Execs } from './exec.ts'
import type { CreateExec, ExecRecord, Session } from './types.ts'

/**
 * Creates an exec, and tells so; begins it if that is asked for.
 * @throws {StatusError} as `Execs.create`, and then as `Execs.prepare`
 */
export function createExec(ctx: Ctx, deps: Deps, execs: Execs, ref: string, options: CreateExec): ExecRecord {
  const record = execs.create(deps, ref, options)
  tell(deps, record, 'exec_create')
  if (options.start) execs.keepBegun(record.id, told(ctx, deps, record, execs.prepare(deps, record.id)(ctx)))
  return record
}

/** Starts an exec, or takes the session of one that was begun. @throws {StatusError} as `Execs.prepare` */
export async function startExec(ctx: Ctx, deps: Deps, execs: Execs, execId: string): Promise<Session> {
  const begun = execs.takeBegun(execId)
  if (begun !== undefined) return await begun
  return await told(ctx, deps, execs.record(execId), execs.prepare(deps, execId)(ctx))
}

/** Tells the start, and the end. */
async function told(ctx: Ctx, deps: Deps, record: ExecRecord, starting: Promise<Session>): Promise<Session> {
  const session = await starting
  tell(deps, record, 'exec_start')
  void session.exit
    .then(({ exitCode }) => tell(deps, record, 'exec_die', { exitCode: String(exitCode) }))
    .catch((error) => ctx.log.warn('the end of an exec is not told', { execId: record.id, error }))
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
