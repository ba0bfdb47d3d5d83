import type { OutputStream } from '../runtime/index.ts'
import type { OutputChunk } from './types.ts'

export interface OutputSource {
  /** Called when `limitBytes` wait: nothing more should come. */
  pause(): void
  /** Called when half of that waits. */
  resume(): void
}

/** What is given to the reader at once, if as much waits. */
const PIECE_BYTES = 64 * 1024

/** What a process has written and its reader has not taken yet: bounded, in order, to be read once. */
export class OutputQueue implements AsyncIterable<OutputChunk> {
  readonly #source: OutputSource
  readonly #limitBytes: number
  #chunks: OutputChunk[] = []
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

  push(stream: OutputStream, bytes: Uint8Array): void {
    if (this.#isDiscarded || this.#end !== undefined) return
    this.#chunks.push({ stream, bytes })
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
    if (error !== undefined) this.#chunks = []
    this.#wake()
  }

  /** Nobody reads it any more: what comes is dropped. */
  discard(): void {
    this.#isDiscarded = true
    this.#chunks = []
    this.#take(this.#bytes)
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    try {
      while (!this.#isDiscarded) {
        const chunks = this.#chunks
        this.#chunks = []
        for (const chunk of gathered(chunks)) {
          this.#take(chunk.bytes.length)
          yield chunk
          if (this.#end?.error !== undefined) throw this.#end.error
        }
        if (this.#chunks.length > 0) continue
        if (this.#end?.error !== undefined) throw this.#end.error
        if (this.#end !== undefined) return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      this.discard()
    }
  }

  #take(bytes: number): void {
    this.#bytes -= bytes
    if (!this.#isFull || this.#bytes > this.#limitBytes / 2) return
    this.#isFull = false
    this.#source.resume()
  }
}

/** Neighbours of one stream as one piece: to send one costs a front end the same, whatever its size. */
function* gathered(chunks: readonly OutputChunk[]): Generator<OutputChunk> {
  let begun: OutputChunk[] = []
  let length = 0
  for (const chunk of chunks) {
    if (begun.length > 0 && (begun[0]!.stream !== chunk.stream || length + chunk.bytes.length > PIECE_BYTES)) {
      yield joined(begun)
      begun = []
      length = 0
    }
    begun.push(chunk)
    length += chunk.bytes.length
  }
  if (begun.length > 0) yield joined(begun)
}

function joined(chunks: readonly OutputChunk[]): OutputChunk {
  const { stream, bytes } = chunks[0]!
  return { stream, bytes: chunks.length === 1 ? bytes : Buffer.concat(chunks.map((chunk) => chunk.bytes)) }
}
