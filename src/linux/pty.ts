import { check, libc } from './libc.ts'

const native = {
  ioctl: libc('int ioctl(int, unsigned long, const void*)'),
  fcntl: libc('int fcntl(int, int, int)'),
}

const O_RDWR = 2
const O_NONBLOCK = 0o4000
const F_SETFL = 4
const TIOCSWINSZ = 0x5414

/** Tells a terminal its size, and SIGWINCH to who uses it. False if it has hung up. @param fd either end of the pty */
export function setWindowSize(fd: number, { rows, columns }: { rows: number; columns: number }): boolean {
  return native.ioctl(fd, TIOCSWINSZ, Buffer.from(Uint16Array.of(rows, columns, 0, 0).buffer)) === 0
}

/** For a descriptor to read and write. @throws {SysError} */
export function setNonBlocking(fd: number): void {
  check(`set flags of descriptor ${fd}`, native.fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK))
}
