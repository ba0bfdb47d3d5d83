import { closeSync, constants, openSync } from 'node:fs'
import { errno, libc, SysError } from './libc.ts'

const flock = libc('int flock(int, int)')
const LOCK_EX = 2
const LOCK_NB = 4
const EWOULDBLOCK = 11

/**
 * Takes the exclusive lock on a file, which is made if it is not there; the kernel gives it back with the process.
 * Undefined if another process has it. @throws {SysError}
 */
export function lockFile(path: string): Disposable | undefined {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return { [Symbol.dispose]: () => closeSync(fd) }
  const number = errno()
  closeSync(fd)
  if (number === EWOULDBLOCK) return undefined
  throw new SysError(`lock ${path}`, number)
}
