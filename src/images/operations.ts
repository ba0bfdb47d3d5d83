import { ProgressFeed } from './progress.ts'

/** The pulls, loads and pushes that run, each with those who follow it. They go on when nobody follows them any more. */
export class Operations implements AsyncDisposable {
  readonly #byKey = new Map<string, ProgressFeed>()
  readonly #running = new Set<Promise<void>>()

  /**
   * Starts `run`, or joins the one that runs under the same key; without a key nobody joins it. `afterwards` is what is
   * left to do after a success, when everyone has been told; it must not fail.
   */
  start(
    key: string | undefined,
    run: (feed: ProgressFeed) => Promise<void>,
    afterwards: () => Promise<void>,
  ): ProgressFeed {
    const joined = key === undefined ? undefined : this.#byKey.get(key)
    if (joined !== undefined) return joined
    const feed = new ProgressFeed()
    const running = this.#settle(key, feed, run).then((succeeded) => (succeeded ? afterwards() : undefined))
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
    return feed
  }

  /** Waits until all have ended; whoever wants that soon ends their context first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running)
  }

  /** @returns whether it succeeded */
  async #settle(
    key: string | undefined,
    feed: ProgressFeed,
    run: (feed: ProgressFeed) => Promise<void>,
  ): Promise<boolean> {
    if (key !== undefined) this.#byKey.set(key, feed)
    try {
      await run(feed)
      feed.end()
      return true
    } catch (error) {
      feed.end({ error })
      return false
    } finally {
      if (key !== undefined) this.#byKey.delete(key)
    }
  }
}
