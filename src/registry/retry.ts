import type { IncomingMessage } from 'node:http'
import { backoffMs, delay } from '../lib/backoff.ts'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { discard } from './body.ts'
import { BusyError, isTransient } from './connection-failure.ts'
import type { Limits } from './types.ts'

const BUSY = new Set([408, 429, 500, 502, 503, 504])

/** Runs `work` until it succeeds or fails for good, at most `limits.tries` times, with a pause between two tries. */
export async function retrying<T>(
  ctx: Ctx,
  limits: Pick<Limits, 'tries' | 'backoff' | 'maxPauseMs'>,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      throwIfEnded(ctx)
      const askedMs = error instanceof BusyError ? (error.pauseMs ?? 0) : 0
      if (!isTransient(error) || attempt >= limits.tries || askedMs > limits.maxPauseMs) throw error
      await delay(ctx, Math.max(askedMs, backoffMs(limits.backoff, attempt)))
    }
  }
}

/** @throws {BusyError} if the answer says to come again later */
export function throwIfBusy(response: IncomingMessage): void {
  if (!BUSY.has(response.statusCode!)) return
  discard(response)
  throw new BusyError(response.statusCode!, parseRetryAfter(response.headers['retry-after']))
}

/** RFC 9110, section 10.2.3: seconds, or a date. In ms; undefined if it is neither. */
export function parseRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
