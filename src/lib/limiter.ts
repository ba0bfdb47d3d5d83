/** Runs what it is given, at most `limit` at a time, first come first served. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>

export function limiter(limit: number): Limiter {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running === limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // The place goes to the next in line, so `running` does not change.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
