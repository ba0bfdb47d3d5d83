/**
 * Buffers of one size that are used again: memory that is made and dropped by the megabyte has V8 collect garbage all
 * the time.
 */
export class BufferPool {
  readonly #bytes: number
  readonly #keep: number
  readonly #free: Buffer[] = []

  /** @param keep how many that are not in use stay */
  constructor(bytes: number, keep: number) {
    this.#bytes = bytes
    this.#keep = keep
  }

  /** Holds what it held before. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  /** One that was taken, and that nobody looks at any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#keep) this.#free.push(buffer)
  }
}
