import type { FileHandle } from 'node:fs/promises'

/**
 * Bytes gathered before they are written: a write is a round trip to the thread pool. A source is not read while its
 * bytes are written, so this is also the most that one source costs the main thread at a time.
 */
export const WRITE_BYTES = 256 * 1024

/** Writes chunks one after the other, many at a time. What was added is in the file after `flush`. */
export class GatheredWrites {
  readonly #file: FileHandle
  readonly #onWritten: (position: number) => void
  #position: number
  #pending: Uint8Array[] = []
  #pendingBytes = 0

  /** @param onWritten gets the position behind what has been written */
  constructor(file: FileHandle, position: number, onWritten: (position: number) => void = () => {}) {
    this.#file = file
    this.#position = position
    this.#onWritten = onWritten
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    if (this.#pendingBytes >= WRITE_BYTES) await this.flush()
  }

  async flush(): Promise<void> {
    if (this.#pendingBytes === 0) return
    const [chunks, position, total] = [this.#pending, this.#position, this.#pendingBytes]
    this.#pending = []
    this.#pendingBytes = 0
    this.#position += total
    let { bytesWritten: done } = await this.#file.writev(chunks, position)
    if (done < total) {
      const bytes = Buffer.concat(chunks)
      while (done < total) done += (await this.#file.write(bytes, done, total - done, position + done)).bytesWritten
    }
    this.#onWritten(this.#position)
  }
}
