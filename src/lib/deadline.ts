/**
 * A signal that ends with another one, or when the time is up. To be disposed of; for what is done so often that
 * `AbortSignal.any` and `AbortSignal.timeout`, which the garbage collector has to clear away, would be felt. What has
 * come in time counts, also if this thread was too busy to look.
 */
export function deadline(signal: AbortSignal, timeoutMs: number): Disposable & { readonly signal: AbortSignal } {
  const ending = new AbortController()
  const end = () => ending.abort(signal.reason)
  let lastLook: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    lastLook = setImmediate(end)
  }, timeoutMs)
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  return {
    signal: ending.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      clearImmediate(lastLook)
      signal.removeEventListener('abort', end)
    },
  }
}
