import { errno, libc, SysError } from './libc.ts'

const fallocate = libc('int fallocate(int, int, int64_t, int64_t)')
const FALLOC_FL_KEEP_SIZE = 1

/**
 * Takes disk space for the first `bytes` of a file, beyond its end, too, without changing its length (fallocate(2)): what
 * is written there cannot fail for want of space. @throws {SysError} `ENOSPC`; `EOPNOTSUPP` on some file systems
 */
export function allocate(fd: number, bytes: number): void {
  if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes) < 0) throw new SysError('allocate disk space', errno())
}
