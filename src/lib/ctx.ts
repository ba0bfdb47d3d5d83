import { StatusError } from './errors.ts'
import type { Logger } from './log.ts'

/**
 * What travels with every call that can wait: when to give up, and where to log.
 *
 * Reads and streams carry the request's signal, mutations the daemon's: a client that hangs up does not stop a
 * create half way.
 */
export interface Ctx {
  readonly signal: AbortSignal
  readonly log: Logger
}

/** The same context without the caller's cancellation, for clean-up that must run to its end; ends after `timeoutMs`. */
export function detached(ctx: Ctx, timeoutMs = 30_000): Ctx {
  return { ...ctx, signal: AbortSignal.timeout(timeoutMs) }
}

/** Resolves when the context ends, with what `throwIfEnded` would throw. */
export async function whenEnded(ctx: Ctx): Promise<unknown> {
  if (!ctx.signal.aborted) {
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }))
  }
  try {
    throwIfEnded(ctx)
  } catch (error) {
    return error
  }
  return undefined
}

/** @throws {StatusError} the reason for the end if it is one, else `cancelled` or `deadline_exceeded` */
export function throwIfEnded(ctx: Ctx): void {
  if (!ctx.signal.aborted) return
  if (ctx.signal.reason instanceof StatusError) throw ctx.signal.reason
  const timedOut = ctx.signal.reason instanceof DOMException && ctx.signal.reason.name === 'TimeoutError'
  throw new StatusError(
    timedOut ? 'deadline_exceeded' : 'cancelled',
    timedOut ? 'The time ran out' : 'The call was cancelled',
  )
}
