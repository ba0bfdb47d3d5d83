import { errno, libc, SysError } from './libc.ts'

const native = { syncfs: libc('int syncfs(int)'), fdatasync: libc('int fdatasync(int)') }

/** Everything written to the filesystem of `fd` is on disk when it resolves. Runs off the main thread. */
export function syncfs(fd: number): Promise<void> {
  return offThread(native.syncfs, 'syncfs', fd)
}

/** The data of `fd` is on disk when it resolves. Runs off the main thread. */
export function fdatasync(fd: number): Promise<void> {
  return offThread(native.fdatasync, 'fdatasync', fd)
}

// biome-ignore lint/suspicious/noExplicitAny: a koffi function
function offThread(call: any, name: string, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    call.async(fd, (error: Error | null, result: number) => {
      const failure = error ?? (result < 0 ? new SysError(name, errno()) : undefined)
      // A koffi callback drains no microtasks: go on from the event loop.
      setImmediate(() => (failure === undefined ? resolve() : reject(failure)))
    })
  })
}
