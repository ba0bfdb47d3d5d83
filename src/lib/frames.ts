/**
 * Frames: u8 type, u32 BE length, payload. Raind's live streams are made of them both ways, in HTTP bodies and in
 * WebSocket messages.
 */
import { StatusError } from './errors.ts'

/** Types of the daemon's frames. The payload of `exit`, the last one, is JSON: `{"exitCode":0}`. */
export const FRAME = { stdout: 1, stderr: 2, exit: 3 } as const
/** Types of the client's frames: input, the terminal's size (rows u16 BE, columns u16 BE), the end of the input. */
export const INPUT = { data: 0, resize: 1, end: 2 } as const

export const FRAME_HEAD_BYTES = 5
const EMPTY = Buffer.alloc(0)
/** Of a payload that a client sends; the public Raind's limit. */
const PAYLOAD_LIMIT = 8 * 1024 * 1024

export interface Frame {
  readonly type: number
  readonly payload: Uint8Array
}

/** @param into where it is written, if that is large enough: the frame is its first part */
export function frame(type: number, payload: Uint8Array, into: Buffer = EMPTY): Uint8Array {
  const length = FRAME_HEAD_BYTES + payload.length
  const bytes = into.length < length ? Buffer.allocUnsafe(length) : into.subarray(0, length)
  bytes.writeUInt8(type, 0)
  bytes.writeUInt32BE(payload.length, 1)
  bytes.set(payload, FRAME_HEAD_BYTES)
  return bytes
}

export function exitFrame(exitCode: number): Uint8Array {
  return frame(FRAME.exit, Buffer.from(JSON.stringify({ exitCode })))
}

/**
 * Takes frames out of a stream of bytes, which is cut anywhere. Of a data frame, what has come is given at once; of any
 * other, all of it. @throws {StatusError} `invalid_argument` for a payload that is too long
 */
export class FrameReader {
  readonly #streamed: number
  #rest: Buffer = Buffer.alloc(0)
  /** What is still to come of a data frame. */
  #dataLeft = 0

  /** @param streamed the type of data frames */
  constructor(streamed: number) {
    this.#streamed = streamed
  }

  *push(bytes: Uint8Array): Generator<Frame> {
    this.#rest =
      this.#rest.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.#rest, bytes])
    for (;;) {
      if (this.#dataLeft > 0) {
        if (this.#rest.length === 0) return
        const payload = this.#cut(Math.min(this.#dataLeft, this.#rest.length))
        this.#dataLeft -= payload.length
        yield { type: this.#streamed, payload }
        continue
      }
      if (this.#rest.length < FRAME_HEAD_BYTES) return
      const type = this.#rest[0]!
      const length = this.#rest.readUInt32BE(1)
      if (length > PAYLOAD_LIMIT) {
        throw new StatusError('invalid_argument', `A frame of ${length} bytes: at most ${PAYLOAD_LIMIT} are possible`)
      }
      if (type === this.#streamed) {
        this.#cut(FRAME_HEAD_BYTES)
        this.#dataLeft = length
        continue
      }
      if (this.#rest.length < FRAME_HEAD_BYTES + length) return
      this.#cut(FRAME_HEAD_BYTES)
      yield { type, payload: this.#cut(length) }
    }
  }

  #cut(length: number): Buffer {
    const cut = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return cut
  }
}
