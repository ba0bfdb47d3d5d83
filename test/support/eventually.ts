import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

/** A slow machine is given time; a fault must not hang the whole suite. */
const LIMIT_MS = 300_000
const LATE = Symbol('late')

/**
 * What is seen once it fits, for what nobody tells of. Looks every 20 ms: what is there for a moment only needs a
 * shorter interval. Fails when time is up, and shows what it saw last.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  fits: (seen: T) => unknown = Boolean,
  intervalMs = 20,
): Promise<T> {
  const until = performance.now() + LIMIT_MS
  for (;;) {
    const seen = await look()
    if (fits(seen)) return seen
    if (performance.now() > until) throw tooLate(LIMIT_MS, seen)
    await sleep(intervalMs)
  }
}

/** What is told of, as by a stream. Fails when time is up, and shows what was seen so far. */
export async function inTime<T>(coming: Promise<T>, seen: () => unknown, limitMs = LIMIT_MS): Promise<T> {
  const { promise: late, resolve: setLate } = Promise.withResolvers<typeof LATE>()
  const timer = setTimeout(() => setLate(LATE), limitMs)
  try {
    const first = await Promise.race([coming, late])
    // Here, not in the timer: so that the stack says who waited.
    if (first === LATE) throw tooLate(limitMs, seen())
    return first
  } finally {
    clearTimeout(timer)
  }
}

function tooLate(limitMs: number, seen: unknown): Error {
  return new Error(`Waited ${limitMs / 1000} s; still ${inspect(seen, { depth: 6 })}`)
}
