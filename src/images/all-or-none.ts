import type { Ctx } from '../lib/ctx.ts'

/**
 * Runs all tasks at once. When one fails the others are told to stop, and its error is thrown after every one of them
 * has ended: what they had in hand may be cleaned up then.
 */
export async function allOrNone(ctx: Ctx, tasks: (ctx: Ctx) => Iterable<Promise<void>>): Promise<void> {
  const stop = new AbortController()
  const failures: unknown[] = []
  const fail = (error: unknown) => {
    failures.push(error)
    stop.abort()
  }
  const running = tasks({ ...ctx, signal: AbortSignal.any([ctx.signal, stop.signal]) })
  await Promise.all(Array.from(running, (task) => task.catch(fail)))
  if (failures.length > 0) throw failures[0]
}
