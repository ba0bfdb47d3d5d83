import { startTimer } from './long-timer.ts'

/**
 * A signal that ends with another one, if one is given, or when the time is up, however long it is. To be disposed of;
 * also for what is done so often that `AbortSignal.any` and `AbortSignal.timeout`, which the garbage collector has to
 * clear away, would be felt. What has come in time counts, also if this thread was too busy to look.
 */
export function deadline(
  signal: AbortSignal | undefined,
  timeoutMs: number,
): Disposable & { readonly signal: AbortSignal } {
  const ending = new AbortController()
  const end = () => ending.abort(signal?.reason)
  let lastLook: NodeJS.Immediate | undefined
  const timer = startTimer(timeoutMs, () => {
    lastLook = setImmediate(() => ending.abort(new DOMException('The time is up', 'TimeoutError')))
  })
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  return {
    signal: ending.signal,
    [Symbol.dispose]() {
      timer[Symbol.dispose]()
      clearImmediate(lastLook)
      signal?.removeEventListener('abort', end)
    },
  }
}
