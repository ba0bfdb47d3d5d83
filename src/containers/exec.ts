import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { assertRunning, type Container } from '../model/container.ts'
import { type OciProcess, type OciSpec, ociExecProcess, resolveUser } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'
import type { CreateExec, ExecRecord, ExecStreams } from './types.ts'

/** How long an exec waits for its start, and the record of an ended one can be asked for its exit code. */
const KEEP_MS = 5 * 60_000

interface Session {
  record: ExecRecord
  readonly options: CreateExec
  expiry: NodeJS.Timeout
}

/** The execs of this daemon's life: records of processes, not objects of the store. */
export class ExecSessions implements Disposable {
  readonly #sessions = new Map<string, Session>()

  create(deps: Deps, ref: string, options: CreateExec): ExecRecord {
    const container = runningContainer(deps, ref)
    if (options.command.length === 0 || options.command[0] === '') {
      throw new StatusError('invalid_argument', 'Cannot create an exec: the command is empty')
    }
    const record: ExecRecord = {
      id: randomBytes(32).toString('hex'),
      containerId: container.metadata.uid,
      command: options.command,
      createdAt: Date.now(),
    }
    this.#sessions.set(record.id, { record, options, expiry: this.#expire(record.id) })
    return record
  }

  /** @throws {StatusError} `not_found`; `failed_precondition` if it was started before or the container does not run */
  async start(ctx: Ctx, deps: Deps, execId: string): Promise<ExecStreams> {
    const session = this.#find(execId)
    if (session.record.startedAt !== undefined) {
      throw new StatusError('failed_precondition', `Cannot start exec ${execId.slice(0, 12)}: it was started before`)
    }
    const container = runningContainer(deps, session.record.containerId)
    session.record = { ...session.record, startedAt: Date.now() }
    clearTimeout(session.expiry)
    failpoint('exec.start')
    try {
      const bundle = deps.paths.bundle(container.metadata.uid)
      const process = await buildProcess(deps, container, session.options)
      const running = await deps.runtime.exec(ctx, container.metadata.uid, { bundle, process, stdin: false })
      const exit = running.exit.then((result) => {
        this.#end(session, result.exitCode)
        return result
      })
      return { stdout: running.stdout, stderr: running.stderr, exit }
    } catch (error) {
      this.#end(session, CANNOT_RUN)
      throw error
    }
  }

  record(execId: string): ExecRecord {
    return this.#find(execId).record
  }

  [Symbol.dispose](): void {
    for (const { expiry } of this.#sessions.values()) clearTimeout(expiry)
  }

  #find(execId: string): Session {
    const session = this.#sessions.get(execId)
    if (session === undefined) {
      throw new StatusError(
        'not_found',
        `No such exec: "${execId.slice(0, 64)}" (kept for ${KEEP_MS / 60_000} minutes)`,
      )
    }
    return session
  }

  #end(session: Session, exitCode: number): void {
    session.record = { ...session.record, finishedAt: Date.now(), exitCode }
    session.expiry = this.#expire(session.record.id)
  }

  #expire(execId: string): NodeJS.Timeout {
    return setTimeout(() => this.#sessions.delete(execId), KEEP_MS).unref()
  }
}

/** As docker and the shells report a command that could not be run. */
const CANNOT_RUN = 126

/** From the container's own process, as its bundle has it. */
async function buildProcess({ paths }: Deps, container: Container, options: CreateExec): Promise<OciProcess> {
  const id = container.metadata.uid
  const config = JSON.parse(await readFile(join(paths.bundle(id), 'config.json'), 'utf8')) as OciSpec
  const { command, env, workingDir, user } = options
  return ociExecProcess(config.process, {
    args: command,
    ...(env === undefined ? {} : { env }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(user === undefined ? {} : { user: resolveUser(paths.rootfs(id), user, container.spec.groupAdd) }),
  })
}

function runningContainer({ store }: Deps, ref: string): Container {
  const container = store.read((tx) => findContainer(tx, ref))
  assertRunning(container.metadata.name, container.status, 'exec in')
  return container
}
