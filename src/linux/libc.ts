import koffi from 'koffi'

/**
 * The one door to native code. Every file in `linux` binds the calls it needs with `libc(...)`; no other module
 * imports koffi. A call costs 0.2 to 0.5 µs.
 */
const library = koffi.load('libc.so.6')

/** Binds a C function by its prototype, e.g. `libc('int umount2(const char*, int)')`. */
// biome-ignore lint/suspicious/noExplicitAny: the prototype text is the type, and TypeScript cannot read it
export function libc(prototype: string): (...args: any[]) => any {
  return library.func(prototype)
}

/**
 * Calls a function of `libc` on a thread of libuv's pool, for what may wait for a disk. Resolves with its result, or with
 * the negative errno of a call that failed.
 */
export function callOffThread(fn: ReturnType<typeof libc>, ...args: readonly unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    // biome-ignore lint/suspicious/noExplicitAny: a koffi function
    ;(fn as any).async(...args, (error: Error | null, result: number) => {
      const value = result < 0 ? -koffi.errno() : result
      // A koffi callback drains no microtasks: go on from the event loop.
      setImmediate(() => (error === null ? resolve(value) : reject(error)))
    })
  })
}

/** Second names of EAGAIN, EOPNOTSUPP and EDEADLK. */
const ALIASES = ['EWOULDBLOCK', 'ENOTSUP', 'EDEADLOCK']
const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(koffi.os.errno)
    .filter(([name]) => !ALIASES.includes(name))
    .map(([name, number]) => [number as number, name]),
)

/** A system call that failed. `code` is the errno's name (`ENOENT`), so `systemCode()` reads it like a node:fs error. */
export class SysError extends Error {
  readonly errno: number
  readonly code: string

  constructor(operation: string, errno: number) {
    const code = ERRNO_NAMES.get(errno) ?? `E${errno}`
    super(`${operation}: ${code}`)
    this.name = 'SysError'
    this.errno = errno
    this.code = code
  }
}

/** The errno of the last call on this thread. Read it before any other call. */
export function errno(): number {
  return koffi.errno()
}

/** Passes a result through. @throws {SysError} if it is negative; `operation` says what was tried, on what */
export function check(operation: string, result: number | bigint): number {
  const value = Number(result)
  if (value < 0) throw new SysError(operation, koffi.errno())
  return value
}

/** As `check`, for calls that return the errno itself (posix_spawn). */
export function checkErrno(operation: string, result: number): void {
  if (result !== 0) throw new SysError(operation, result)
}

export { koffi }
