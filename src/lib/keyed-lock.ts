import { type Ctx, throwIfEnded } from './ctx.ts'

/**
 * Mutual exclusion by key, first come first served. Mutations hold the lock on the id of what they change:
 * `using _lock = await locks.hold(ctx, id)`.
 */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>()

  /** @throws {StatusError} `cancelled` if the context ends while waiting */
  async hold(ctx: Ctx, key: string): Promise<Disposable> {
    throwIfEnded(ctx)
    const before = this.#tails.get(key)
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const tail = before === undefined ? released : before.then(() => released)
    this.#tails.set(key, tail)
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    if (before !== undefined) {
      try {
        await orEnded(ctx, before)
      } catch (error) {
        release()
        throw error
      }
    }
    return { [Symbol.dispose]: release }
  }
}

async function orEnded(ctx: Ctx, promise: Promise<void>): Promise<void> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const onAbort = () => end()
  ctx.signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([promise, ended])
    throwIfEnded(ctx)
  } finally {
    ctx.signal.removeEventListener('abort', onAbort)
  }
}
