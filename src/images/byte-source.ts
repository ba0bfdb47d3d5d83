import { StatusError } from '../lib/errors.ts'

/** Reads a stream of chunks by bytes; holds one chunk. Disposing ends the stream. */
export class ByteSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>
  #chunk: Buffer = Buffer.alloc(0)
  #position = 0

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  /** Bytes handed out so far. */
  get position(): number {
    return this.#position
  }

  /** Exactly `count` bytes. @throws {StatusError} `invalid_argument` if the stream ends before */
  async take(count: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for (let left = count; left > 0; ) {
      const piece = await this.#next(left)
      pieces.push(piece)
      left -= piece.length
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) left -= (await this.#next(left)).length
  }

  /** What comes until `end`. May be left before; whoever reads on starts there. */
  async *upTo(end: number): AsyncGenerator<Buffer, void, undefined> {
    while (this.#position < end) yield await this.#next(end - this.#position)
  }

  /** Reads on to the stream's end. */
  async drain(): Promise<void> {
    while ((await this.#chunks.next()).done !== true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.()
  }

  /** 1 to `limit` bytes. */
  async #next(limit: number): Promise<Buffer> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#chunks.next()
      if (done === true) throw new StatusError('invalid_argument', 'Malformed tar archive: it is cut short')
      this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.length)
    }
    const piece = this.#chunk.subarray(0, limit)
    this.#chunk = this.#chunk.subarray(piece.length)
    this.#position += piece.length
    return piece
  }
}
