import { ProgressFeed } from './progress.ts'

interface Operation {
  readonly feed: ProgressFeed
  readonly ending: AbortController
  /** Of those who asked for it, who wait for it; undefined: it goes on without them. */
  askers: Set<AbortSignal> | undefined
}

/** @param ended ends when nobody wants the work any more */
type Work = (feed: ProgressFeed, ended: AbortSignal) => Promise<void>

/**
 * The pulls, loads and pushes that run, each with those who follow it. They go on when nobody follows them any more, but
 * for what was only asked for by callers who end it with themselves.
 */
export class Operations implements AsyncDisposable {
  readonly #byKey = new Map<string, Operation>()
  readonly #running = new Set<Promise<void>>()

  /**
   * Starts `run`, or joins the one that runs under the same key; without a key nobody joins it. `afterwards` is what is
   * left to do after a success, when everyone has been told; it must not fail. It ends when `asker` has ended, and
   * whoever else has asked for it with a signal; without one it goes on.
   */
  start(key: string | undefined, run: Work, afterwards: () => Promise<void>, asker?: AbortSignal): ProgressFeed {
    const operation = (key === undefined ? undefined : this.#byKey.get(key)) ?? this.#begin(key, run, afterwards)
    if (asker === undefined) operation.askers = undefined
    else if (operation.askers !== undefined) this.#bind(key, operation, operation.askers, asker)
    return operation.feed
  }

  /** Waits until all have ended; whoever wants that soon ends their context first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running)
  }

  #begin(key: string | undefined, run: Work, afterwards: () => Promise<void>): Operation {
    const operation: Operation = { feed: new ProgressFeed(), ending: new AbortController(), askers: new Set() }
    const running = this.#settle(key, operation, run).then((succeeded) => (succeeded ? afterwards() : undefined))
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
    return operation
  }

  #bind(key: string | undefined, operation: Operation, askers: Set<AbortSignal>, asker: AbortSignal): void {
    const leave = () => {
      askers.delete(asker)
      if (operation.askers !== askers || askers.size > 0) return
      // Who asks from now on begins anew.
      this.#forget(key, operation)
      operation.ending.abort()
    }
    askers.add(asker)
    asker.addEventListener('abort', leave, { once: true })
    void operation.feed.ended.then(() => asker.removeEventListener('abort', leave))
    if (asker.aborted) leave()
  }

  /** @returns whether it succeeded */
  async #settle(key: string | undefined, operation: Operation, run: Work): Promise<boolean> {
    if (key !== undefined) this.#byKey.set(key, operation)
    const { feed, ending } = operation
    try {
      await run(feed, ending.signal)
      feed.end()
      return true
    } catch (error) {
      feed.end({ error })
      return false
    } finally {
      this.#forget(key, operation)
    }
  }

  #forget(key: string | undefined, operation: Operation): void {
    if (key !== undefined && this.#byKey.get(key) === operation) this.#byKey.delete(key)
  }
}
