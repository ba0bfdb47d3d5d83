/** Messages on a stream have their length before them (RFC 1035 4.2.2). */
export class FrameReader {
  readonly #limitBytes: number
  #bytes: Buffer = Buffer.alloc(0)

  /** Who goes on adding after `tooLong`, or without taking, holds all of it in memory. */
  constructor(limitBytes = 0xffff) {
    this.#limitBytes = limitBytes
  }

  /** The next message will be longer than the limit. */
  get tooLong(): boolean {
    return this.#bytes.length >= 2 && this.#bytes.readUInt16BE(0) > this.#limitBytes
  }

  add(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
  }

  /** The next whole message. */
  take(): Buffer | undefined {
    if (this.#bytes.length < 2 || this.tooLong) return undefined
    const end = 2 + this.#bytes.readUInt16BE(0)
    if (this.#bytes.length < end) return undefined
    const message = this.#bytes.subarray(2, end)
    this.#bytes = this.#bytes.subarray(end)
    return message
  }
}

export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
