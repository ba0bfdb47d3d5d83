/**
 * The terminal of Raind's public CLI: a WebSocket as its Go library writes it, raw bytes one way, and the other way frames
 * of type, length and payload, one for each byte that is typed (contract, section 2).
 */
import { createHash, randomBytes } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { inTime } from './eventually.ts'

const OPCODE = { binary: 2, close: 8, ping: 9, pong: 10 } as const
/** RFC 6455, section 1.3. */
const ACCEPT_KEY = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const DATA = 0
const RESIZE = 1
const MESSAGE_LIMIT = 32 * 1024

export class PublicTerminal {
  readonly #socket: TLSSocket
  #bytes: Buffer
  #output = ''
  #pongs = 0
  #changed = () => {}
  #end: { readonly code: number; readonly reason: string } | undefined
  #fault: Error | undefined

  /** `bytes` follow the answer to the upgrade. */
  constructor(socket: TLSSocket, bytes: Buffer) {
    this.#socket = socket
    this.#bytes = bytes
    socket.on('data', (chunk: Buffer) => this.#take(Buffer.concat([this.#bytes, chunk])))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the connection ended without a close frame')))
    this.#take(bytes)
  }

  get output(): string {
    return this.#output
  }

  /** As a terminal in raw mode: a frame for each byte. */
  type(text: string): void {
    for (const byte of Buffer.from(text)) this.#send(OPCODE.binary, frame(DATA, Buffer.of(byte)))
  }

  resize(rows: number, columns: number): void {
    const size = Buffer.alloc(4)
    size.writeUInt16BE(rows, 0)
    size.writeUInt16BE(columns, 2)
    this.#send(OPCODE.binary, frame(RESIZE, size))
  }

  /** Frames are a stream: messages may cut them anywhere. */
  typeInPieces(text: string, pieceBytes: number): void {
    const frames = Buffer.concat([frame(DATA, Buffer.from(text)), frame(7, Buffer.from('unknown'))])
    for (let at = 0; at < frames.length; at += pieceBytes) {
      this.#send(OPCODE.binary, frames.subarray(at, at + pieceBytes))
    }
  }

  /** Resolves with the pong. */
  async ping(): Promise<void> {
    const before = this.#pongs
    this.#send(OPCODE.ping, Buffer.from('are you there'))
    await this.#until(() => this.#pongs > before)
  }

  /** Ctrl-P Ctrl-Q. */
  detach(): void {
    const payload = Buffer.concat([Buffer.of(1001 >> 8, 1001 & 0xff), Buffer.from('detached')])
    this.#send(OPCODE.close, payload)
  }

  async until(pattern: RegExp): Promise<void> {
    await this.#until(() => pattern.test(this.#output))
  }

  /** How the server closed it. */
  async closed(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.#until(() => this.#end !== undefined)
    this.#socket.destroy()
    return this.#end!
  }

  async #until(test: () => boolean): Promise<void> {
    await inTime(this.#comes(test), () => this.#output)
  }

  async #comes(test: () => boolean): Promise<void> {
    while (!test()) {
      if (this.#end !== undefined)
        throw new Error(`closed with ${this.#end.code} after ${JSON.stringify(this.#output)}`)
      await this.#change()
    }
  }

  async #change(): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#changed = resolve
    await promise
    if (this.#fault !== undefined && this.#end === undefined) throw this.#fault
  }

  #fail(error: Error): void {
    this.#fault ??= error
    this.#changed()
  }

  #take(bytes: Buffer): void {
    let rest = bytes
    for (let message = readMessage(rest); message !== undefined; message = readMessage(rest)) {
      const { opcode, payload, end } = message
      rest = rest.subarray(end)
      if (opcode === OPCODE.binary && payload.length <= MESSAGE_LIMIT) this.#output += payload.toString()
      else if (opcode === OPCODE.pong) this.#pongs += 1
      else if (opcode === OPCODE.ping) this.#send(OPCODE.pong, payload)
      else if (opcode === OPCODE.close) {
        this.#end ??= { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) }
      } else this.#fail(new Error(`a message of type ${opcode} with ${payload.length} bytes`))
      this.#changed()
    }
    this.#bytes = rest
  }

  /** Clients mask (RFC 6455, section 5.3). */
  #send(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4)
    const masked = payload.map((byte, index) => byte ^ mask[index % 4]!)
    this.#socket.write(Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length), mask, masked]))
  }
}

/** The bytes that ask for the upgrade, and the check of the head that answers. */
export function upgradeRequest(path: string, host: string): { bytes: string; isAnswer(head: string): boolean } {
  const key = randomBytes(16).toString('base64')
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'User-Agent: Go-http-client/1.1',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    'Upgrade: websocket',
  ]
  const accept = createHash('sha1')
    .update(key + ACCEPT_KEY)
    .digest('base64')
  return {
    bytes: `${lines.join('\r\n')}\r\n\r\n`,
    isAnswer: (head) =>
      head.startsWith('HTTP/1.1 101 ') &&
      /^upgrade: websocket$/im.test(head) &&
      /^connection: upgrade$/im.test(head) &&
      head.split('\r\n').some((line) => line.toLowerCase() === `sec-websocket-accept: ${accept}`.toLowerCase()) &&
      !/^sec-websocket-(extensions|protocol):/im.test(head),
  }
}

function frame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(type, 0)
  head.writeUInt32BE(payload.length, 1)
  return Buffer.concat([head, payload])
}

/** A whole message; undefined while it is not there. Servers neither mask nor, here, cut messages. */
function readMessage(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined
  const [first, second] = [bytes[0]!, bytes[1]!]
  if ((first & 0xf0) !== 0x80 || (second & 0x80) !== 0)
    throw new Error('a message in pieces, with extensions, or masked')
  const start = second < 126 ? 2 : second === 126 ? 4 : 10
  if (bytes.length < start) return undefined
  const length = second < 126 ? second : second === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  const end = start + length
  return bytes.length < end ? undefined : { opcode: first & 0x0f, payload: bytes.subarray(start, end), end }
}
