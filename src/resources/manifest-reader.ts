import { BoundedWorker } from '../lib/bounded-worker.ts'
import { jsonDocuments } from '../lib/json-documents.ts'
import { type Outcome, type Reading, readManifests } from './read-manifests.ts'

export interface ManifestQuestion {
  readonly text: string
  readonly reading: Reading
}

/** What is read on the main thread takes it a few ms; a Worker that is not there yet takes 50 ms. */
const SMALL = { yaml: 4096, json: 32 * 1024 }

/** Reads manifests of strangers: what may take long or much memory on a Worker. */
export class ManifestReader implements AsyncDisposable {
  readonly #worker: BoundedWorker<ManifestQuestion>

  /** @param entry the module that runs in the Worker */
  constructor(entry: URL) {
    this.#worker = new BoundedWorker({ entry, name: 'manifests', subject: 'The manifest', advice: 'split it' })
  }

  /** @throws {StatusError} `invalid_argument` for what is too large, or takes too long */
  async read<R extends Reading>(text: string, reading: R): Promise<Outcome<R>[]> {
    if (isSmall(text)) return await readManifests(text, reading)
    const outcomes: Outcome<R>[] = []
    await this.#worker.ask({ text, reading }, (part) => outcomes.push(...(JSON.parse(part) as Outcome<R>[])))
    return outcomes
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#worker[Symbol.asyncDispose]()
  }
}

/** Anchors can make much of a small text. */
function isSmall(text: string): boolean {
  if (text.length <= SMALL.yaml && !text.includes('&')) return true
  return text.length <= SMALL.json && jsonDocuments(text) !== undefined
}
