import { check, libc } from './libc.ts'

const native = {
  pipe2: libc('int pipe2(_Out_ int*, int)'),
  close: libc('int close(int)'),
  ioctl: libc('int ioctl(int, unsigned long, _Out_ int*)'),
}

const O_CLOEXEC = 0o2000000
const FIONREAD = 0x541b

export interface Pipe {
  readonly readEnd: number
  readonly writeEnd: number
}

/** A pipe, both ends close-on-exec: a child gets an end only by naming it (see `spawnProcess`). */
export function pipe(): Pipe {
  const ends: [number, number] = [0, 0]
  check('pipe2', native.pipe2(ends, O_CLOEXEC))
  return { readEnd: ends[0], writeEnd: ends[1] }
}

export function closeFd(fd: number): void {
  native.close(fd)
}

/** How much of what was written to a pipe has not been read yet. @param fd either end */
export function unreadBytes(fd: number): number {
  const count: [number] = [0]
  check('FIONREAD', native.ioctl(fd, FIONREAD, count))
  return count[0]
}
