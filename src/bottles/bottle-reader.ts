import type { ReadBottle } from '../compose/index.ts'
import { BoundedWorker } from '../lib/bounded-worker.ts'

/** The main thread takes 10 ms for it; a Worker that is not there yet takes 100. */
const SMALL = 4096

/** Reads bottle files and Compose files of strangers: what may take long or much memory on a Worker. */
export class BottleReader implements AsyncDisposable {
  readonly #worker: BoundedWorker<string>

  /** @param entry the module that runs in the Worker */
  constructor(entry: URL) {
    this.#worker = new BoundedWorker({ entry, name: 'bottles', subject: 'The file', advice: 'make it smaller' })
  }

  /** @throws {StatusError} `invalid_argument`, naming line and path, and for what takes too long or too much memory */
  async read(text: string): Promise<ReadBottle> {
    if (isSmall(text)) {
      // With the first bottle: it takes 30 ms, and memory that most daemons never need.
      const { readBottleText } = await import('../compose/index.ts')
      return readBottleText(text)
    }
    let json = ''
    await this.#worker.ask(text, (part) => {
      json = part
    })
    return JSON.parse(json) as ReadBottle
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#worker[Symbol.asyncDispose]()
  }
}

/** Anchors can make much of a small text. */
function isSmall(text: string): boolean {
  return text.length <= SMALL && !text.includes('&')
}
