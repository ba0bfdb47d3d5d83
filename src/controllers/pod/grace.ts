import { startTimer } from '../../lib/long-timer.ts'

/** The time that a container has to end, which can only become shorter. */
export class Grace implements Disposable {
  readonly #ending = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  readonly #left: (grace: Grace) => void
  #askedMs: number
  #endsAt = Infinity
  #timer: Disposable | undefined

  /** @param left is called when it is disposed of */
  constructor(ms: number, left: (grace: Grace) => void = () => {}) {
    this.#askedMs = ms
    this.#left = left
    this.shorten(ms)
  }

  /** Ends when the time is up. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get leftMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  /** Nothing is waited for at all. */
  get isNone(): boolean {
    return this.#askedMs <= 0
  }

  /** It ends so long from now at the latest. */
  shorten(ms: number): void {
    this.#askedMs = Math.min(this.#askedMs, ms)
    const endsAt = performance.now() + ms
    if (endsAt >= this.#endsAt) return
    this.#endsAt = endsAt
    this.#timer?.[Symbol.dispose]()
    if (ms <= 0) this.#end()
    else this.#timer = startTimer(ms, () => this.#end())
  }

  #end(): void {
    this.#ending.abort(new DOMException('The grace period is over', 'TimeoutError'))
    this.#ended.resolve()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#left(this)
  }
}
