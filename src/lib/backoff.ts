import { setTimeout as sleep } from 'node:timers/promises'
import { type Ctx, throwIfEnded } from './ctx.ts'

export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
  /** Share of the delay that is random, 0 to 1. */
  readonly jitter: number
}

/** The delay before try number `attempt` + 1, in ms; `attempt` counts from 1. */
export function backoffMs({ firstMs, maxMs, jitter }: Backoff, attempt: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** (attempt - 1))
  return full * (1 - jitter * Math.random())
}

/** Waits; @throws {StatusError} `cancelled` or `deadline_exceeded` if the context ends first */
export async function delay(ctx: Ctx, ms: number): Promise<void> {
  throwIfEnded(ctx)
  await sleep(ms, undefined, { signal: ctx.signal }).catch(() => throwIfEnded(ctx))
}
