import { check, libc } from './libc.ts'

const native = {
  pipe2: libc('int pipe2(_Out_ int*, int)'),
  close: libc('int close(int)'),
}

const O_CLOEXEC = 0o2000000

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
