/** Asks for a run that has been put together of many calls. */
export interface Coalesced extends Disposable {
  /** Within `delayMs` there will be a run that began after this call. */
  call(): void
}

/**
 * Runs `work` some time after the first of several calls, never twice at once; a call that comes while it runs makes
 * it run once more. `work` must not fail. Waiting keeps no process from its end.
 */
export function coalesce(delayMs: number, work: () => Promise<void>): Coalesced {
  let timer: NodeJS.Timeout | undefined
  let running = false
  let again = false
  let ended = false
  const run = async () => {
    timer = undefined
    running = true
    await work()
    running = false
    if (again && !ended) start()
  }
  const start = () => {
    again = false
    timer = setTimeout(() => void run(), delayMs).unref()
  }
  return {
    call() {
      if (ended || timer !== undefined) return
      if (running) again = true
      else start()
    },
    [Symbol.dispose]() {
      ended = true
      clearTimeout(timer)
    },
  }
}
