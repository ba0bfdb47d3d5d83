/** What setTimeout takes: a longer time, 24.8 days, would be up at once. */
const LONGEST_MS = 2 ** 31 - 1

/** Calls `fn` when the time is up, however long it is, unless it is disposed of before. */
export function startTimer(ms: number, fn: () => void): Disposable {
  const wait = (leftMs: number): NodeJS.Timeout =>
    leftMs <= LONGEST_MS
      ? setTimeout(fn, leftMs)
      : setTimeout(() => {
          handle = wait(leftMs - LONGEST_MS)
        }, LONGEST_MS)
  let handle = wait(ms)
  return { [Symbol.dispose]: () => clearTimeout(handle) }
}

/** Resolves when the time is up, however long it is, or the signal ends. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = () => resolve()
  signal.addEventListener('abort', end)
  using _timer = startTimer(ms, end)
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', end)
  }
}
