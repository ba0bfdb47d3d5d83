import { WebSocket } from 'ws'
import { FRAME, FrameReader, frame, INPUT } from '../../src/lib/frames.ts'
import { inTime } from './eventually.ts'

/** A client of one of the daemon's WebSockets, which keeps all that it gets. */
export interface WsClient extends Disposable {
  readonly socket: WebSocket
  /** The concatenation of all messages. */
  raw(): Buffer
  /** What came in frames of our own dialect. */
  stdout(): string
  stderr(): string
  exitCode(): number | undefined
  /** Resolves when what came matches; rejects when it closes before. */
  until(pattern: RegExp): Promise<void>
  /** Resolves with code and reason of the end. */
  readonly closed: Promise<{ code: number; reason: string }>
  type(text: string | Uint8Array): void
  resize(rows: number, columns: number): void
  endInput(): void
}

/** @throws an error with `status` and `text` for an upgrade that was refused */
export async function wsClient(socketPath: string, path: string): Promise<WsClient> {
  const socket = new WebSocket(`ws+unix:${socketPath}:${path}`, { perMessageDeflate: false })
  const { promise: closed, resolve: setClosed } = Promise.withResolvers<{ code: number; reason: string }>()
  const messages: Buffer[] = []
  const output = { 1: [] as Uint8Array[], 2: [] as Uint8Array[] }
  let exitCode: number | undefined
  const reader = new FrameReader(-1)
  let changed = () => {}
  socket.on('message', (bytes) => {
    messages.push(bytes as Buffer)
    try {
      for (const { type, payload } of reader.push(bytes as Buffer)) {
        if (type === FRAME.exit) exitCode = JSON.parse(Buffer.from(payload).toString()).exitCode
        else if (type === FRAME.stdout || type === FRAME.stderr) output[type].push(payload)
      }
    } catch {
      // The public dialect has no frames in this direction.
    }
    changed()
  })
  socket.once('close', (code, reason) => {
    setClosed({ code, reason: reason.toString() })
    changed()
  })
  const textOf = (type: 1 | 2) => Buffer.concat(output[type]).toString()
  const raw = () => Buffer.concat(messages)
  const { promise: open, resolve, reject } = Promise.withResolvers<void>()
  socket.once('open', () => resolve())
  socket.on('error', reject)
  socket.once('unexpected-response', async (_request, answer) => {
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk)
    const { statusCode: status, headers } = answer
    reject(Object.assign(new Error(`refused: ${status}`), { status, headers, text: Buffer.concat(chunks).toString() }))
  })
  await open
  const came = () => raw().toString().slice(-2000)
  const match = async (pattern: RegExp) => {
    while (!pattern.test(textOf(1)) && !pattern.test(raw().toString())) {
      if (socket.readyState === WebSocket.CLOSED) throw new Error(`${pattern} did not come; got: ${came()}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      changed = resolve
      await promise
    }
  }
  return {
    socket,
    raw,
    stdout: () => textOf(1),
    stderr: () => textOf(2),
    exitCode: () => exitCode,
    until: (pattern) => inTime(match(pattern), came),
    get closed() {
      return inTime(closed, came)
    },
    type: (text) => socket.send(frame(INPUT.data, Buffer.from(text))),
    resize(rows, columns) {
      const size = Buffer.alloc(4)
      size.writeUInt16BE(rows, 0)
      size.writeUInt16BE(columns, 2)
      socket.send(frame(INPUT.resize, size))
    },
    endInput: () => socket.send(frame(INPUT.end, Buffer.alloc(0))),
    [Symbol.dispose]: () => socket.terminate(),
  }
}
