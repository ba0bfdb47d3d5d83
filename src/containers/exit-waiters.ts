import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import type { ExitResult } from './types.ts'

type Listener = (exit: ExitResult) => void

/** Wakes those that wait for a container's end. */
export class ExitWaiters {
  readonly #listeners = new Map<string, Set<Listener>>()

  /** Resolves with the next exit of this container. Ask before the step that can end it. */
  next(ctx: Ctx, id: string): Promise<ExitResult> {
    const { promise, resolve, reject } = Promise.withResolvers<ExitResult>()
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners)
    const leave = () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(id)
      ctx.signal.removeEventListener('abort', onAbort)
    }
    const listener: Listener = (exit) => {
      leave()
      resolve(exit)
    }
    const onAbort = () => {
      leave()
      try {
        throwIfEnded(ctx)
      } catch (error) {
        reject(error)
      }
    }
    listeners.add(listener)
    ctx.signal.addEventListener('abort', onAbort, { once: true })
    if (ctx.signal.aborted) onAbort()
    return promise
  }

  notify(id: string, exit: ExitResult): void {
    for (const listener of [...(this.#listeners.get(id) ?? [])]) listener(exit)
  }
}
