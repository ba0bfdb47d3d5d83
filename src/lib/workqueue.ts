import { type Backoff, backoffMs } from './backoff.ts'
import { startTimer } from './long-timer.ts'

const DEFAULT_BACKOFF: Backoff = { firstMs: 100, maxMs: 60_000, jitter: 0.2 }
/** What failed is not tried again sooner, however often it is added: what it has written may be what adds it. */
const SOONEST_RETRY_MS = 250

interface Waiting {
  readonly timer: Disposable
  readonly dueAt: number
  /** After a failure. */
  readonly isRetry: boolean
  /** An add has brought it forward. */
  readonly isSooner?: boolean
}

/**
 * Keys that want work. A key is worked on by one at a time, and one that is added meanwhile comes again afterwards;
 * added twice before its turn, it comes once. So whoever works on a key must look at the world as it is then.
 *
 *            add            next            done, failed
 *   (idle) ───────► ready ───────► working ─────────────► (idle), or waiting with a timer
 *                     ▲               │ add: once more         │
 *                     └───────────────┴────────────────────────┘
 */
export class Workqueue {
  readonly #backoff: Backoff
  readonly #ready = new Set<string>()
  readonly #working = new Set<string>()
  /** Added while being worked on. */
  readonly #again = new Set<string>()
  readonly #timers = new Map<string, Waiting>()
  readonly #failures = new Map<string, number>()
  readonly #idle: ((key: string | undefined) => void)[] = []
  #closed = false

  constructor(backoff: Backoff = DEFAULT_BACKOFF) {
    this.#backoff = backoff
  }

  /** Wants `key` worked on soon. A delay that it waits for ends, or after a failure becomes a short one. */
  add(key: string): void {
    if (this.#closed) return
    const timer = this.#timers.get(key)
    if (timer?.isRetry) {
      this.#wait(key, Math.min(timer.dueAt - performance.now(), SOONEST_RETRY_MS), timer)
      return
    }
    this.#makeReady(key)
  }

  #makeReady(key: string): void {
    if (this.#closed) return
    if (this.#working.has(key)) {
      this.#again.add(key)
      return
    }
    this.#clearTimer(key)
    const worker = this.#ready.has(key) ? undefined : this.#idle.shift()
    if (worker === undefined) {
      this.#ready.add(key)
      return
    }
    this.#working.add(key)
    worker(key)
  }

  /** The next key, first come first served, waiting for one; `undefined` when the queue is closed. Answer it by `done` or `failed`. */
  next(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined)
    const [key] = this.#ready
    if (key === undefined) return new Promise((resolve) => this.#idle.push(resolve))
    this.#ready.delete(key)
    this.#working.add(key)
    return Promise.resolve(key)
  }

  /** The work on `key` went well; it comes again when it was added meanwhile, else after `againAfterMs` if given. */
  done(key: string, againAfterMs?: number): void {
    this.#failures.delete(key)
    this.#finish(key, againAfterMs)
  }

  /** The work on `key` failed; it comes again after a delay that doubles with each failure. Returns the delay in ms. */
  failed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const delayMs = backoffMs(this.#backoff, failures)
    this.#finish(key, delayMs, true)
    return delayMs
  }

  /** Drops what is queued and lets every worker go. */
  close(): void {
    this.#closed = true
    for (const { timer } of this.#timers.values()) timer[Symbol.dispose]()
    this.#timers.clear()
    this.#ready.clear()
    for (const resolve of this.#idle.splice(0)) resolve(undefined)
  }

  #finish(key: string, againAfterMs: number | undefined, isRetry = false): void {
    if (!this.#working.delete(key)) throw new Error(`"${key}" is not being worked on`)
    const wasAdded = this.#again.delete(key)
    if (wasAdded && !isRetry) this.#makeReady(key)
    else if (againAfterMs !== undefined) this.#wait(key, againAfterMs, { isRetry })
    if (wasAdded && isRetry) this.add(key)
  }

  /** A retry that was brought forward once stays where it is. */
  #wait(key: string, ms: number, { isRetry, isSooner = false }: Pick<Waiting, 'isRetry' | 'isSooner'>): void {
    if (this.#closed || isSooner) return
    const isSecond = this.#timers.has(key)
    this.#clearTimer(key)
    const timer = startTimer(ms, () => this.#makeReady(key))
    this.#timers.set(key, { timer, dueAt: performance.now() + ms, isRetry, isSooner: isSecond })
  }

  #clearTimer(key: string): void {
    this.#timers.get(key)?.timer[Symbol.dispose]()
    this.#timers.delete(key)
  }
}
