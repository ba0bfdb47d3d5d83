import { Worker } from 'node:worker_threads'
import { StatusError, systemCode } from '../lib/errors.ts'
import { jsonDocuments } from '../lib/json-documents.ts'
import { limiter } from '../lib/limiter.ts'
import { type Outcome, type Reading, readManifests } from './read-manifests.ts'

export interface ToManifestWorker {
  readonly text: string
  readonly reading: Reading
}

/** A part is the JSON of a list of outcomes. */
export type FromManifestWorker =
  | { readonly part: string }
  | { readonly done: true }
  | Pick<StatusError, 'code' | 'message'>

/** What is read on the main thread takes it a few ms; a Worker that is not there yet takes 50 ms. */
const SMALL = { yaml: 4096, json: 32 * 1024 }
/** Ten times what the largest text takes that a Worker has the memory for. */
const LONGEST_MS = 30_000
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 }
/** A Worker without work ends after this time and gives its memory back. */
const IDLE_MS = 10_000

interface Job {
  readonly take: (part: string) => void
  readonly done: () => void
  readonly fail: (error: unknown) => void
}

/** Reads manifests of strangers: what may take long or much memory on a Worker, which is bounded in both. */
export class ManifestReader implements AsyncDisposable {
  readonly #entry: URL
  readonly #inTurn = limiter(1)
  #worker: Worker | undefined
  #job: Job | undefined
  #idle: NodeJS.Timeout | undefined

  /** @param entry the module that runs in the Worker */
  constructor(entry: URL) {
    this.#entry = entry
  }

  /** @throws {StatusError} `invalid_argument` for what is too large, or takes too long */
  async read<R extends Reading>(text: string, reading: R): Promise<Outcome<R>[]> {
    if (isSmall(text)) return await readManifests(text, reading)
    return await this.#inTurn(() => this.#readThere(text, reading))
  }

  async #readThere<R extends Reading>(text: string, reading: R): Promise<Outcome<R>[]> {
    clearTimeout(this.#idle)
    this.#worker ??= this.#start()
    const { promise, resolve, reject } = Promise.withResolvers<Outcome<R>[]>()
    const outcomes: Outcome<R>[] = []
    this.#job = {
      take: (part) => outcomes.push(...(JSON.parse(part) as Outcome<R>[])),
      done: () => resolve(outcomes),
      fail: reject,
    }
    const late = setTimeout(() => {
      reject(invalid(`The manifest takes longer than ${LONGEST_MS / 1000} s to read: split it`))
      void this.#end()
    }, LONGEST_MS)
    this.#worker.ref()
    this.#worker.postMessage({ text, reading } satisfies ToManifestWorker)
    try {
      return await promise
    } finally {
      clearTimeout(late)
      this.#job = undefined
      this.#worker?.unref()
      this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref()
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { resourceLimits: RESOURCE_LIMITS, name: 'manifests' })
    worker.on('message', (message: FromManifestWorker) => {
      if ('part' in message) this.#job?.take(message.part)
      else if ('done' in message) this.#job?.done()
      else this.#job?.fail(new StatusError(message.code, message.message))
    })
    const leave = (error: unknown) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#job?.fail(error)
    }
    worker.on('error', (error) => leave(asTooLarge(error)))
    worker.on('exit', () => leave(new StatusError('internal', 'The Worker that reads manifests has ended')))
    return worker
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#job?.fail(new StatusError('unavailable', 'The daemon is shutting down'))
    await worker?.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle)
    await this.#end()
  }
}

/** Anchors can make much of a small text. */
function isSmall(text: string): boolean {
  if (text.length <= SMALL.yaml && !text.includes('&')) return true
  return text.length <= SMALL.json && jsonDocuments(text) !== undefined
}

function asTooLarge(error: unknown): unknown {
  if (systemCode(error) !== 'ERR_WORKER_OUT_OF_MEMORY') return error
  return invalid('The manifest takes too much memory to read: split it')
}

function invalid(message: string): StatusError {
  return new StatusError('invalid_argument', message)
}
