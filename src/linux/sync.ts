import { errno, libc, SysError } from './libc.ts'

const native = libc('int syncfs(int)')

/** Everything written to the filesystem of `fd` is on disk when it returns: for Workers. @throws {SysError} */
export function syncfsNow(fd: number): void {
  if (native(fd) < 0) throw new SysError('syncfs', errno())
}

/** Everything written to the filesystem of `fd` is on disk when it resolves. Runs off the main thread. */
export function syncfs(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // biome-ignore lint/suspicious/noExplicitAny: a koffi function
    ;(native as any).async(fd, (error: Error | null, result: number) => {
      const failure = error ?? (result < 0 ? new SysError('syncfs', errno()) : undefined)
      // A koffi callback drains no microtasks: go on from the event loop.
      setImmediate(() => (failure === undefined ? resolve() : reject(failure)))
    })
  })
}
