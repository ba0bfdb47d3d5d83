import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

/**
 * What is seen once it fits, for what nobody tells of: looks every 20 ms. Fails after five minutes (a slow machine is
 * given time, a fault must not hang the whole suite) and shows what it saw last.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  fits: (seen: T) => unknown = Boolean,
  limitMs = 300_000,
): Promise<T> {
  const until = performance.now() + limitMs
  for (;;) {
    const seen = await look()
    if (fits(seen)) return seen
    if (performance.now() > until) throw new Error(`Waited ${limitMs / 1000} s; still ${inspect(seen, { depth: 6 })}`)
    await sleep(20)
  }
}
