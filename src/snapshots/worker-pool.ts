import { Worker } from 'node:worker_threads'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError, systemCode } from '../lib/errors.ts'
import { trimMemory } from '../linux/memory.ts'
import { type FromWorker, fromFailure, type Job, type ToWorker, type WorkerData } from './worker-protocol.ts'

interface WorkerPoolOptions {
  readonly entry: URL
  readonly data: WorkerData
  readonly maxWorkers: number
  /** A Worker without work ends after this time and gives its memory back. */
  readonly idleMs: number
}

interface Task {
  readonly job: Job
  readonly onProgress: ((bytes: number) => void) | undefined
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

interface Seat {
  readonly worker: Worker
  task: Task | undefined
  idleTimer: NodeJS.Timeout | undefined
}

/** Old space of a Worker, which holds the directories of a layer until their times are set. File data is not in it. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 }

/** Workers for jobs that block, started on demand, first come first served. */
export class WorkerPool implements AsyncDisposable {
  readonly #options: WorkerPoolOptions
  readonly #seats = new Set<Seat>()
  readonly #queue: Task[] = []
  #closed = false
  #kept = 0

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  /**
   * The caller knows the job's result by its `op`.
   *
   * @throws {StatusError} the job's own; `cancelled`; `resource_exhausted` if it took more memory than a Worker has
   */
  async run<R>(ctx: Ctx, job: Job, onProgress?: (bytes: number) => void): Promise<R> {
    throwIfEnded(ctx)
    if (this.#closed) throw new StatusError('unavailable', 'The daemon is shutting down')
    const { promise, resolve, reject } = Promise.withResolvers<R>()
    const task: Task = { job, onProgress, resolve, reject }
    const cancel = () => this.#cancel(task)
    ctx.signal.addEventListener('abort', cancel, { once: true })
    this.#queue.push(task)
    this.#assign()
    try {
      return await promise
    } catch (error) {
      throwIfEnded(ctx)
      throw error
    } finally {
      ctx.signal.removeEventListener('abort', cancel)
    }
  }

  /** Until it is disposed, no Worker ends for want of work: it has something to remember. */
  keep(): Disposable {
    this.#kept++
    return {
      [Symbol.dispose]: () => {
        this.#kept--
        for (const seat of this.#seats) if (seat.task === undefined) this.#rest(seat)
      },
    }
  }

  /** Waits for the jobs at work; those in the queue fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const task of this.#queue.splice(0)) {
      task.reject(new StatusError('unavailable', 'The daemon is shutting down'))
    }
    await Promise.all([...this.#seats].map((seat) => this.#end(seat)))
  }

  #assign(): void {
    while (this.#queue.length > 0) {
      const seat = [...this.#seats].find((candidate) => candidate.task === undefined) ?? this.#newSeat()
      if (seat === undefined) return
      clearTimeout(seat.idleTimer)
      seat.task = this.#queue.shift()!
      seat.worker.ref()
      const { job } = seat.task
      post(seat.worker, { kind: 'job', job }, job.op === 'write' && job.bytes !== undefined ? [job.bytes.buffer] : [])
    }
  }

  #newSeat(): Seat | undefined {
    if (this.#seats.size >= this.#options.maxWorkers) return undefined
    const { entry, data } = this.#options
    const worker = new Worker(entry, { workerData: data, resourceLimits: RESOURCE_LIMITS })
    const seat: Seat = { worker, task: undefined, idleTimer: undefined }
    this.#seats.add(seat)
    worker.on('message', (message: FromWorker) => this.#onMessage(seat, message))
    worker.on('error', (error) => this.#leave(seat, asOutOfMemory(error)))
    worker.on('exit', (code) =>
      this.#leave(seat, new StatusError('internal', `A layer Worker ended with code ${code}`)),
    )
    return seat
  }

  #onMessage(seat: Seat, message: FromWorker): void {
    const { task } = seat
    if (message.kind === 'progress') task?.onProgress?.(message.bytes)
    else if (task !== undefined) {
      seat.task = undefined
      seat.worker.unref()
      this.#rest(seat)
      if (message.kind === 'done') task.resolve(message.result as never)
      else task.reject(fromFailure(message.failure))
      this.#assign()
    }
  }

  #rest(seat: Seat): void {
    clearTimeout(seat.idleTimer)
    if (this.#kept === 0) seat.idleTimer = setTimeout(() => this.#retire(seat), this.#options.idleMs).unref()
  }

  /** Out of the pool first: no task may be given to a Worker that is ending. */
  #retire(seat: Seat): void {
    this.#seats.delete(seat)
    void seat.worker.terminate()
  }

  #leave(seat: Seat, error: unknown): void {
    clearTimeout(seat.idleTimer)
    this.#seats.delete(seat)
    seat.task?.reject(error)
    seat.task = undefined
    this.#assign()
    if (this.#seats.size === 0) trimMemory()
  }

  #cancel(task: Task): void {
    const position = this.#queue.indexOf(task)
    if (position >= 0) {
      this.#queue.splice(position, 1)
      task.reject(new StatusError('cancelled', 'The call was cancelled'))
      return
    }
    const seat = [...this.#seats].find((candidate) => candidate.task === task)
    if (seat !== undefined) post(seat.worker, { kind: 'cancel' })
  }

  async #end(seat: Seat): Promise<void> {
    const { task } = seat
    if (task !== undefined) {
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      seat.worker.once('message', function onMessage(message: FromWorker) {
        if (message.kind === 'progress') seat.worker.once('message', onMessage)
        else resolve()
      })
      seat.worker.once('exit', resolve)
      post(seat.worker, { kind: 'cancel' })
      await ended
    }
    clearTimeout(seat.idleTimer)
    await seat.worker.terminate()
  }
}

function post(worker: Worker, message: ToWorker, handedOver: readonly ArrayBuffer[] = []): void {
  worker.postMessage(message, handedOver)
}

function asOutOfMemory(error: unknown): unknown {
  if (systemCode(error) !== 'ERR_WORKER_OUT_OF_MEMORY') return error
  return new StatusError('resource_exhausted', 'The layer has more directories than fit in memory', { cause: error })
}
