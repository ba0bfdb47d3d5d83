import type { OutputStream } from '../runtime/index.ts'
import type { OutputChunk } from './types.ts'

export interface OutputSource {
  /** Called when `limitBytes` wait: nothing more should come. */
  pause(): void
  /** Called when half of that waits. */
  resume(): void
}

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
        for (const chunk of chunks) {
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
