import type { Ctx } from '../lib/ctx.ts'

/** Tells whoever waits that something was committed. It says no more: what it was is read from the tables. */
export class Commits {
  readonly #waiting = new Set<() => void>()
  #closed = false

  get closed(): boolean {
    return this.#closed
  }

  announce(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  close(): void {
    this.#closed = true
    this.announce()
  }

  /**
   * Resolves at the next commit, when the context ends, or when the store is closed. Call it in the same turn in which
   * nothing was found: no commit can come between.
   */
  next(ctx: Ctx): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed || ctx.signal.aborted) return resolve()
      const wake = () => {
        this.#waiting.delete(wake)
        ctx.signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      ctx.signal.addEventListener('abort', wake, { once: true })
    })
  }
}
