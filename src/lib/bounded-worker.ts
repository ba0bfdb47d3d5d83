import { type MessagePort, Worker } from 'node:worker_threads'
import { StatusError, systemCode, toStatusError } from './errors.ts'
import { limiter } from './limiter.ts'

type Answer = { readonly part: string } | { readonly done: true } | Pick<StatusError, 'code' | 'message'>

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

export interface BoundedWorkerOptions {
  /** The module that runs in the Worker: it calls `answerQuestions`. */
  readonly entry: URL
  readonly name: string
  /** What a question holds, as its errors say it: `The manifest`. */
  readonly subject: string
  /** What can be done where it is too much. */
  readonly advice: string
}

/** Has texts of strangers read on a Worker, one after the other, which is bounded in memory and time. */
export class BoundedWorker<Question> implements AsyncDisposable {
  readonly #options: BoundedWorkerOptions
  readonly #inTurn = limiter(1)
  #worker: Worker | undefined
  #job: Job | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(options: BoundedWorkerOptions) {
    this.#options = options
  }

  /** @throws {StatusError} `invalid_argument` for what takes too long or too much memory, and what the module throws */
  ask(question: Question, take: (part: string) => void): Promise<void> {
    return this.#inTurn(() => this.#ask(question, take))
  }

  async #ask(question: Question, take: (part: string) => void): Promise<void> {
    clearTimeout(this.#idle)
    this.#worker ??= this.#start()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#job = { take, done: resolve, fail: reject }
    const late = setTimeout(() => {
      reject(this.#tooMuch(`longer than ${LONGEST_MS / 1000} s`))
      void this.#end()
    }, LONGEST_MS)
    this.#worker.ref()
    this.#worker.postMessage(question)
    try {
      await promise
    } finally {
      clearTimeout(late)
      this.#job = undefined
      this.#worker?.unref()
      this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref()
    }
  }

  #start(): Worker {
    const { entry, name } = this.#options
    const worker = new Worker(entry, { resourceLimits: RESOURCE_LIMITS, name })
    worker.on('message', (answer: Answer) => {
      if ('part' in answer) this.#job?.take(answer.part)
      else if ('done' in answer) this.#job?.done()
      else this.#job?.fail(new StatusError(answer.code, answer.message))
    })
    const leave = (error: unknown) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#job?.fail(error)
    }
    worker.on('error', (error) =>
      leave(systemCode(error) === 'ERR_WORKER_OUT_OF_MEMORY' ? this.#tooMuch('too much memory') : error),
    )
    worker.on('exit', () => leave(new StatusError('internal', `The Worker "${name}" has ended`)))
    return worker
  }

  #tooMuch(what: string): StatusError {
    const { subject, advice } = this.#options
    return new StatusError('invalid_argument', `${subject} takes ${what} to read: ${advice}`)
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

/** The Worker's side: `answer` is given one question after the other, and sends what it finds in parts. */
export function answerQuestions<Question>(
  port: MessagePort,
  answer: (question: Question, send: (part: string) => void) => void | Promise<void>,
): void {
  const post = (message: Answer) => port.postMessage(message)
  port.on('message', async (question: Question) => {
    try {
      await answer(question, (part) => post({ part }))
      post({ done: true })
    } catch (error) {
      const { code, message } = toStatusError(error)
      post({ code, message })
    }
  })
}
