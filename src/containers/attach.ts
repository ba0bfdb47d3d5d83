import { PassThrough, type Writable } from 'node:stream'
import { type Ctx, whenEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { assertAlive, type Container, isAlive } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import type { TerminalSize } from '../model/terminal-size.ts'
import { attachedOutput } from './attached-output.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'
import { followLog } from './follow-log.ts'
import type { AttachOptions, ExitResult, OutputChunk, Session } from './types.ts'

/**
 * Connects to the streams of a container. Every client has a connection of its own, and all get all.
 *
 * @throws {StatusError} `not_found`; `failed_precondition` if it does not run, unless told to wait for its start
 */
export async function attachContainer(ctx: Ctx, deps: Deps, ref: string, options: AttachOptions): Promise<Session> {
  const container = deps.store.read((tx) => findContainer(tx, ref))
  if (isAlive(container.status)) return openSession(ctx, deps, container, options)
  if (!options.wait) assertAlive(container.metadata.name, container.status, 'attach to')
  return sessionAfterStart(ctx, deps, container, options)
}

function openSession(ctx: Ctx, deps: Deps, container: Container, { stdin, logs }: AttachOptions): Session {
  const { store, runtime, exits, paths } = deps
  const { uid } = container.metadata
  const { tty, openStdin } = container.spec
  const bundle = paths.bundle(uid)
  const exit = exits.next(ctx, uid)
  exit.catch(() => {})
  const connection = runtime.attach(bundle)
  store.writeSoon((tx) => tx.event(containerEvent(container, 'attach')))
  return {
    tty,
    ...(stdin && openStdin && { stdin: connection.stdin }),
    // The log has everything, and in order: where it is read from the beginning, the connection is for the input only.
    output: logs ? fromLog(ctx, deps, container, exit, connection) : attachedOutput(connection),
    resize: async (size) => (tty ? await runtime.resize(bundle, size) : undefined),
    exit,
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}

async function* fromLog(
  ctx: Ctx,
  deps: Deps,
  { metadata }: Container,
  exit: Promise<ExitResult>,
  connection: ReturnType<Deps['runtime']['attach']>,
): AsyncGenerator<OutputChunk> {
  connection.onOutput(() => {})
  connection.onEnd(() => {})
  const all = { tailLines: Number.POSITIVE_INFINITY }
  for await (const pieces of followLog(ctx, deps.paths.log(metadata.uid), all, exit)) yield* pieces
}

/** What is sent before the start waits for it; the size of the terminal, too. */
function sessionAfterStart(ctx: Ctx, deps: Deps, container: Container, options: AttachOptions): Session {
  const { promise: opened, resolve, reject } = Promise.withResolvers<Session>()
  opened.catch(() => {})
  const input = options.stdin && container.spec.openStdin ? new PassThrough() : undefined
  let size: TerminalSize | undefined
  const leave = deps.attaching.add(container.metadata.uid, () => {
    try {
      const session = openSession(ctx, deps, container, options)
      if (input !== undefined && session.stdin !== undefined) connect(input, session.stdin)
      if (size !== undefined) void session.resize(size).catch(() => {})
      resolve(session)
    } catch (error) {
      reject(error)
    }
  })
  void whenEnded(ctx).then((reason) => {
    leave()
    reject(reason)
  })
  const exit = opened.then((session) => session.exit)
  exit.catch(() => {})
  return {
    tty: container.spec.tty,
    ...(input !== undefined && { stdin: input }),
    output: outputOf(opened),
    async resize(to) {
      size = to
      const session = await Promise.race([opened, undefined])
      await session?.resize(to)
    },
    exit,
    [Symbol.dispose]() {
      leave()
      void opened.then((session) => session[Symbol.dispose]()).catch(() => {})
    },
  }
}

function connect(input: PassThrough, stdin: Writable): void {
  stdin.on('error', () => {})
  input.pipe(stdin)
}

async function* outputOf(opened: Promise<Session>): AsyncGenerator<OutputChunk> {
  yield* (await opened).output
}

/** @throws {StatusError} `failed_precondition` if it does not run, or has no terminal */
export async function resizeTerminal({ store, runtime, paths }: Deps, ref: string, size: TerminalSize): Promise<void> {
  const { metadata, spec, status } = store.read((tx) => findContainer(tx, ref))
  assertAlive(metadata.name, status, 'resize the terminal of')
  if (!spec.tty) throw new StatusError('failed_precondition', `Container "${metadata.name}" has no terminal`)
  await runtime.resize(paths.bundle(metadata.uid), size)
}
