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
  /** Passes on a signal that would end us. */
  readonly onSignal: (signal: NodeJS.Signals) => void
  /** What is said when the user leaves a process that heeds none of them. */
  readonly hint?: string
}

export type LiveEnd = { readonly exitCode: number } | 'detached'

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP']
/** So many end us, whatever the process makes of them: docker's number. */
const ENOUGH_SIGNALS = 3
/** How long a daemon may take to hear that the user has detached. */
const FAREWELL_MS = 2000
/** As docker: it was not the process that failed. */
const NOT_THE_PROCESS = 125

/** Connects the terminal with a process, until it ends, or the user detaches. @throws {CliError} if it breaks off */
export async function live(socket: WebSocket, options: LiveOptions): Promise<LiveEnd> {
  const { terminal, stdin, tty } = options
  using cleanUp = new DisposableStack()
  cleanUp.defer(() => socket.terminate())
  const exit = receive(socket, terminal)
  exit.catch(() => {})
  // No key press is waited for when all is over.
  if (stdin) cleanUp.defer(() => void terminal.stdin.destroy())
  const isRaw = tty && stdin && terminal.stdin.isTTY
  if (isRaw) {
    await makeRaw(terminal)
    cleanUp.defer(() => void terminal.stdin.setRawMode(false))
  }
  if (tty && terminal.stdout.isTTY) cleanUp.defer(followSize(socket, terminal))
  const ends: Promise<LiveEnd>[] = [exit]
  // What is typed there is no signal to us but input; what is sent to us alone ends us.
  if (!isRaw) {
    const { left, stop } = takeSignals(options)
    cleanUp.defer(stop)
    ends.push(left)
  }
  if (stdin) ends.push(sendInput(socket, options))
  return await Promise.race(ends)
}

/** Node's raw mode leaves the output as it is for programs that write lines; others would see their cursor jump. */
async function makeRaw({ stdin }: Terminal): Promise<void> {
  stdin.setRawMode(true)
  const { spawnSync } = await import('node:child_process')
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
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

/** Passes signals on, until there were enough: then `left` rejects. */
function takeSignals({ onSignal, hint }: LiveOptions): { readonly left: Promise<never>; stop(): void } {
  const { promise: left, reject } = Promise.withResolvers<never>()
  let count = 0
  const take = (signal: NodeJS.Signals) => {
    onSignal(signal)
    if (++count === ENOUGH_SIGNALS) reject(new CliError('Left what does not end', hint, { exitCode: 130 }))
  }
  for (const signal of SIGNALS) process.on(signal, take)
  return {
    left,
    stop() {
      for (const signal of SIGNALS) process.off(signal, take)
    },
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
      // Without the farewell it would be a hang-up.
      socket.close(GOING_AWAY, 'detached')
      socket.once('close', () => resolve('detached'))
      setTimeout(() => resolve('detached'), FAREWELL_MS).unref()
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
  const full = new Set<NodeJS.WriteStream>()
  const take = ({ type, payload }: Frame) => {
    if (type === FRAME.exit) {
      exitCode = (JSON.parse(Buffer.from(payload).toString()) as { exitCode: number }).exitCode
      return
    }
    const out = type === FRAME.stderr ? stderr : stdout
    if (out.write(payload) || full.has(out)) return
    full.add(out)
    socket.pause()
    out.once('drain', () => {
      full.delete(out)
      if (full.size === 0) socket.resume()
    })
  }
  socket.on('message', (bytes) => {
    for (const one of reader.push(bytes as Buffer)) take(one)
  })
  socket.resume()
  socket.on('error', reject)
  socket.once('close', (code, reason) => {
    const why = reason.toString() || 'The connection to the daemon broke off before the process ended'
    if (exitCode !== undefined) resolve({ exitCode })
    else if (code !== GOING_AWAY) reject(new CliError(why, undefined, { exitCode: NOT_THE_PROCESS }))
  })
  return await promise
}
