import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { assertRunning, type Container } from '../model/container.ts'
import { parseSignal } from '../model/signal.ts'
import type { TerminalSize } from '../model/terminal-size.ts'
import { type OciProcess, type OciSpec, ociExecProcess, type RuntimeExec, resolveUser } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { execOutput } from './exec-output.ts'
import { findContainer } from './find.ts'
import type { CreateExec, ExecRecord, Session } from './types.ts'
import { unlessEnded } from './unless-ended.ts'

/** How long an exec waits for its start, and the record of an ended one can be asked for its exit code. */
const KEEP_MS = 5 * 60_000
/** How long what was started without a client waits for one. */
const CLAIM_MS = 30_000

interface ExecEntry {
  record: ExecRecord
  readonly options: CreateExec
  expiry: NodeJS.Timeout
  starting?: Promise<RuntimeExec>
  running?: RuntimeExec
  /** Begun with its creation, for who starts it. */
  begun?: Promise<Session>
  /** Started, for who asks for a terminal in the container. */
  unclaimed?: Session
}

/** The execs of this daemon's life: records of processes, not objects of the store. */
export class Execs implements Disposable {
  readonly #entries = new Map<string, ExecEntry>()

  create(deps: Deps, ref: string, options: CreateExec): ExecRecord {
    const container = runningContainer(deps, ref)
    if (options.command.length === 0 || options.command[0] === '') {
      throw new StatusError('invalid_argument', 'Cannot create an exec: the command is empty')
    }
    const record: ExecRecord = {
      id: randomBytes(32).toString('hex'),
      containerId: container.metadata.uid,
      command: options.command,
      tty: options.tty ?? false,
      createdAt: Date.now(),
    }
    this.#entries.set(record.id, { record, options, expiry: this.#expire(record.id) })
    return record
  }

  /**
   * What starts the exec: it must be called, and the session be read to its end, or disposed.
   * @throws {StatusError} `not_found`; `failed_precondition` if it was started before or the container does not run;
   *   `invalid_argument` for a user that the container does not have
   */
  prepare(deps: Deps, execId: string): (ctx: Ctx) => Promise<Session> {
    const entry = this.#find(execId)
    if (entry.record.startedAt !== undefined) {
      throw new StatusError('failed_precondition', `Cannot start exec ${execId.slice(0, 12)}: it was started before`)
    }
    const container = runningContainer(deps, entry.record.containerId)
    entry.record = { ...entry.record, startedAt: Date.now() }
    clearTimeout(entry.expiry)
    failpoint('exec.start')
    try {
      const process = buildProcess(deps, container, entry.options)
      return (ctx) => this.#start(ctx, deps, entry, process)
    } catch (error) {
      this.#end(entry, CANNOT_RUN)
      throw error
    }
  }

  async #start(ctx: Ctx, deps: Deps, entry: ExecEntry, process: OciProcess): Promise<Session> {
    const { containerId } = entry.record
    const { size, stdin = false } = entry.options
    const input = { bundle: deps.paths.bundle(containerId), process, stdin, ...(size !== undefined && { size }) }
    try {
      entry.starting = unlessEnded(deps, containerId, 'exec in', () => deps.runtime.exec(ctx, containerId, input))
      const running = await entry.starting
      entry.running = running
      const exit = running.exit.then(
        (result) => {
          this.#end(entry, result.exitCode)
          return result
        },
        (error) => {
          this.#end(entry, CANNOT_RUN)
          throw error
        },
      )
      return execSession(running, exit, entry.record.tty)
    } catch (error) {
      this.#end(entry, CANNOT_RUN)
      throw error
    }
  }

  /** Keeps what was begun for `takeBegun`: who comes too late finds it hung up. */
  keepBegun(execId: string, session: Promise<Session>): void {
    const entry = this.#find(execId)
    entry.begun = session
    // Whoever takes it is told.
    session.catch(() => {})
    setTimeout(async () => {
      if (entry.begun !== session) return
      delete entry.begun
      using begun = await session.catch(() => undefined)
      begun?.hangUp?.()
    }, CLAIM_MS).unref()
  }

  /** Undefined: it was not begun, or is taken. @throws {StatusError} `not_found` */
  takeBegun(execId: string): Promise<Session> | undefined {
    const entry = this.#find(execId)
    const { begun } = entry
    delete entry.begun
    return begun
  }

  /** Keeps a started exec's session for who asks for it next; nobody else reads it until then. */
  keepUnclaimed(execId: string, session: Session): void {
    const entry = this.#find(execId)
    entry.unclaimed = session
    // A process whose output nobody takes must not wait for ever.
    setTimeout(() => {
      if (entry.unclaimed === session) this.#take(entry)[Symbol.dispose]()
    }, CLAIM_MS).unref()
  }

  /** @throws {StatusError} `not_found` */
  takeUnclaimed(deps: Deps, ref: string): Session {
    const { uid, name } = deps.store.read((tx) => findContainer(tx, ref)).metadata
    const entry = [...this.#entries.values()].findLast(
      ({ record, unclaimed }) => record.containerId === uid && record.tty && unclaimed !== undefined,
    )
    if (entry !== undefined) return this.#take(entry)
    throw new StatusError('not_found', `No exec with a terminal waits in container "${name}" for somebody to attach`)
  }

  resize(execId: string, size: TerminalSize): void {
    this.#find(execId).running?.resize(size)
  }

  /** @throws {StatusError} `failed_precondition` if it does not run */
  async signal(execId: string, signal: string): Promise<void> {
    const { starting } = this.#find(execId)
    const number = parseSignal(signal)
    const running = await starting?.catch(() => undefined)
    if (await running?.signal(number)) return
    throw new StatusError('failed_precondition', `Cannot signal exec ${execId.slice(0, 12)}: it does not run`)
  }

  record(execId: string): ExecRecord {
    const { record, running } = this.#find(execId)
    const pid = record.exitCode === undefined ? running?.pid : undefined
    return pid === undefined ? record : { ...record, pid }
  }

  [Symbol.dispose](): void {
    for (const { expiry } of this.#entries.values()) clearTimeout(expiry)
  }

  #take(entry: ExecEntry): Session {
    const session = entry.unclaimed!
    delete entry.unclaimed
    return session
  }

  #find(execId: string): ExecEntry {
    const entry = this.#entries.get(execId)
    if (entry === undefined) {
      throw new StatusError(
        'not_found',
        `No such exec: "${execId.slice(0, 64)}" (kept for ${KEEP_MS / 60_000} minutes)`,
      )
    }
    return entry
  }

  #end(entry: ExecEntry, exitCode: number): void {
    entry.record = { ...entry.record, finishedAt: Date.now(), exitCode }
    // The record is kept for minutes; its streams must not be.
    delete entry.starting
    delete entry.running
    entry.expiry = this.#expire(entry.record.id)
  }

  #expire(execId: string): NodeJS.Timeout {
    return setTimeout(() => this.#entries.delete(execId), KEEP_MS).unref()
  }
}

function execSession(running: RuntimeExec, exit: Promise<{ exitCode: number }>, tty: boolean): Session {
  const output = execOutput(running)
  return {
    tty,
    ...(running.stdin !== undefined && { stdin: running.stdin }),
    output,
    resize: async (size) => running.resize(size),
    exit,
    hangUp() {
      for (const stream of [running.stdout, running.stderr]) stream.destroy()
    },
    [Symbol.dispose]() {
      running.stdin?.on('error', () => {})
      // The terminal stays: its end would be a hang-up.
      if (!tty) running.stdin?.end()
      output.discard()
    },
  }
}

/** As docker and the shells report a command that could not be run. */
const CANNOT_RUN = 126

/** From the container's own process, as its bundle has it. */
function buildProcess({ paths }: Deps, container: Container, options: CreateExec): OciProcess {
  const id = container.metadata.uid
  const config = JSON.parse(readFileSync(join(paths.bundle(id), 'config.json'), 'utf8')) as OciSpec
  const { command, env, workingDir, user, tty } = options
  return ociExecProcess(config.process, {
    args: command,
    ...(tty && { tty }),
    ...(env === undefined ? {} : { env }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(user === undefined ? {} : { user: resolveUser(paths.rootfs(id), user, container.spec) }),
  })
}

function runningContainer({ store }: Deps, ref: string): Container {
  const container = store.read((tx) => findContainer(tx, ref))
  assertRunning(container.metadata.name, container.status, 'exec in')
  return container
}
