import { once } from 'node:events'
import type { WebSocket } from 'ws'
import { detachScanner } from '../lib/detach-keys.ts'
import { FRAME, type Frame, FrameReader, frame, INPUT } from '../lib/frames.ts'
import type { Terminal } from './command.ts'
import { CliError } from './errors.ts'

/** What may wait for the daemon before the input does. */
const SEND_AHEAD_BYTES = 1024 * 1024
const GOING_AWAY = 1001

export interface LiveOptions {
  readonly terminal: Terminal
  /** Pass on what comes in. */
  readonly stdin: boolean
  /** The process has a terminal: ours becomes raw, and its size is told. */
  readonly tty: boolean
  /** Bytes of the sequence that leaves the process alone; only with a terminal. */
  readonly detachKeys: Uint8Array
  /** Takes the signals that would end us, until the process has ended. */
  readonly onSignal?: (signal: NodeJS.Signals) => void
}

export type LiveEnd = { readonly exitCode: number } | 'detached'

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP']

/** Connects the terminal with a process, until it ends, or the user detaches. @throws {CliError} if it breaks off */
export async function live(socket: WebSocket, options: LiveOptions): Promise<LiveEnd> {
  const { terminal, stdin, tty, onSignal } = options
  await using cleanUp = new AsyncDisposableStack()
  const isRaw = tty && stdin && terminal.stdin.isTTY
  if (isRaw) {
    terminal.stdin.setRawMode(true)
    cleanUp.defer(() => void terminal.stdin.setRawMode(false))
  }
  if (tty && terminal.stdout.isTTY) cleanUp.defer(followSize(socket, terminal))
  if (onSignal !== undefined && !isRaw) cleanUp.defer(takeSignals(onSignal))
  const detached = stdin ? sendInput(socket, options) : undefined
  // No key press is waited for when all is over.
  if (stdin) cleanUp.defer(() => void terminal.stdin.destroy())
  const exit = receive(socket, terminal)
  return await (detached === undefined ? exit : Promise.race([exit, detached]))
}

/** Sends the size of our terminal, now and when it changes. */
function followSize(socket: WebSocket, { stdout }: Terminal): () => void {
  const send = () => {
    if (!stdout.rows || !stdout.columns) return
    const size = Buffer.alloc(4)
    size.writeUInt16BE(stdout.rows, 0)
    size.writeUInt16BE(stdout.columns, 2)
    socket.send(frame(INPUT.resize, size))
  }
  send()
  stdout.on('resize', send)
  return () => stdout.off('resize', send)
}

function takeSignals(onSignal: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}

/** Resolves when the user has detached. */
function sendInput(socket: WebSocket, { terminal, tty, detachKeys }: LiveOptions): Promise<'detached'> {
  const { stdin } = terminal
  const scan = tty ? detachScanner(detachKeys) : undefined
  const { promise, resolve } = Promise.withResolvers<'detached'>()
  stdin.on('data', (typed: Buffer) => {
    const { forward, isDetached } = scan?.(typed) ?? { forward: typed, isDetached: false }
    if (forward.length > 0) {
      socket.send(frame(INPUT.data, forward), () => stdin.resume())
      if (socket.bufferedAmount > SEND_AHEAD_BYTES) stdin.pause()
    }
    if (isDetached) {
      socket.close(GOING_AWAY, 'detached')
      resolve('detached')
    }
  })
  stdin.once('end', () => socket.send(frame(INPUT.end, Buffer.alloc(0))))
  stdin.on('error', () => {})
  return promise
}

async function receive(socket: WebSocket, { stdout, stderr }: Terminal): Promise<LiveEnd> {
  const reader = new FrameReader(FRAME.stdout)
  const { promise, resolve, reject } = Promise.withResolvers<LiveEnd>()
  let exitCode: number | undefined
  const take = ({ type, payload }: Frame) => {
    if (type === FRAME.exit) {
      exitCode = (JSON.parse(Buffer.from(payload).toString()) as { exitCode: number }).exitCode
      return
    }
    const out = type === FRAME.stderr ? stderr : stdout
    if (out.write(payload)) return
    socket.pause()
    once(out, 'drain').then(() => socket.resume(), reject)
  }
  socket.on('message', (bytes) => {
    for (const one of reader.push(bytes as Buffer)) take(one)
  })
  socket.resume()
  for (const out of [stdout, stderr]) out.on('error', reject)
  socket.on('error', reject)
  socket.once('close', (_code, reason) => {
    if (exitCode !== undefined) resolve({ exitCode })
    else reject(new CliError(reason.toString() || 'The connection to the daemon broke off before the process ended'))
  })
  return await promise
}
