import { BufferPool } from '../lib/buffer-pool.ts'
import type { OutputStream } from '../runtime/index.ts'
import type { OutputChunk } from './types.ts'

export interface OutputSource {
  /** Called when `limitBytes` wait: nothing more should come. */
  pause(): void
  /** Called when half of that waits. */
  resume(): void
}

/** What is given to the reader at once, if as much waits: to send one piece costs a front end the same, whatever its size. */
const PIECE_BYTES = 64 * 1024
/** A little that nothing waits before gets no whole piece. */
const LITTLE_BYTES = 4 * 1024
const SPARE_PIECES = 4

interface Piece {
  readonly stream: OutputStream
  readonly buffer: Buffer
  length: number
}

/** What a process has written and its reader has not taken yet: bounded, in order, to be read once. */
export class OutputQueue implements AsyncIterable<OutputChunk> {
  readonly #source: OutputSource
  readonly #limitBytes: number
  readonly #buffers = new BufferPool(PIECE_BYTES, SPARE_PIECES)
  readonly #pieces: Piece[] = []
  #bytes = 0
  #isFull = false
  #isDiscarded = false
  #end: { readonly error: unknown } | undefined
  #wake = () => {}

  constructor(source: OutputSource, limitBytes: number) {
    this.#source = source
    this.#limitBytes = limitBytes
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** The bytes are copied. */
  push(stream: OutputStream, bytes: Uint8Array): void {
    if (this.#isDiscarded || this.#end !== undefined) return
    for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(this.#add(stream, rest))
    this.#bytes += bytes.length
    if (this.#bytes > this.#limitBytes && !this.#isFull) {
      this.#isFull = true
      this.#source.pause()
    }
    this.#wake()
  }

  /** After what waits, the reader's end; with an error at once. */
  end(error?: unknown): void {
    this.#end ??= { error }
    if (error !== undefined) this.#drop()
    this.#wake()
  }

  /** Nobody reads it any more: what comes is dropped. */
  discard(): void {
    this.#isDiscarded = true
    this.#drop()
    this.#take(this.#bytes)
    this.#wake()
  }

  /** A piece is its reader's until he asks for the next one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    try {
      while (!this.#isDiscarded) {
        const piece = this.#pieces.shift()
        if (piece !== undefined) {
          this.#take(piece.length)
          yield { stream: piece.stream, bytes: piece.buffer.subarray(0, piece.length) }
          this.#giveBack(piece)
        }
        if (this.#end?.error !== undefined) throw this.#end.error
        if (this.#pieces.length > 0) continue
        if (this.#end !== undefined) return
        if (piece === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      this.discard()
    }
  }

  /** To the last piece, if it is of that stream and has room, else in a new one. @returns how many it took */
  #add(stream: OutputStream, bytes: Uint8Array): number {
    const last = this.#pieces.at(-1)
    const fits = last?.stream === stream && last.length < last.buffer.length
    const piece = fits ? last : this.#newPiece(stream, bytes.length)
    const count = Math.min(bytes.length, piece.buffer.length - piece.length)
    piece.buffer.set(bytes.subarray(0, count), piece.length)
    piece.length += count
    return count
  }

  #newPiece(stream: OutputStream, bytes: number): Piece {
    const isLittle = bytes < LITTLE_BYTES && this.#pieces.length === 0
    const piece = { stream, buffer: isLittle ? Buffer.allocUnsafe(bytes) : this.#buffers.take(), length: 0 }
    this.#pieces.push(piece)
    return piece
  }

  #giveBack({ buffer }: Piece): void {
    if (buffer.length === PIECE_BYTES) this.#buffers.give(buffer)
  }

  #drop(): void {
    for (const piece of this.#pieces.splice(0)) this.#giveBack(piece)
  }

  #take(bytes: number): void {
    this.#bytes -= bytes
    if (!this.#isFull || this.#bytes > this.#limitBytes / 2) return
    this.#isFull = false
    this.#source.resume()
  }
}
