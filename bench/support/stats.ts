/** Times in ms. */
export interface Times {
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

export function summary(times: readonly number[]): Times {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) }
}

export function show({ p50, p99 }: Times): string {
  return `${p50.toFixed(1)} ms (p99 ${p99.toFixed(1)})`
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Runs `work` for 0, 1, ... `count - 1`, `parallel` at a time. */
export async function inParallel(
  count: number,
  parallel: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (next < count) await work(next++)
    }),
  )
}
