import { closeFd } from './fd.ts'
import { check, libc } from './libc.ts'

const native = {
  open: libc('int open(const char*, int)'),
  ioctlPointer: libc('int ioctl(int, unsigned long, void*)'),
  ioctlNumber: libc('int ioctl(int, unsigned long, int)'),
  fcntl: libc('int fcntl(int, int, int)'),
  tcgetattr: libc('int tcgetattr(int, void*)'),
  tcsetattr: libc('int tcsetattr(int, int, const void*)'),
  cfmakeraw: libc('void cfmakeraw(void*)'),
}

const O_RDWR = 2
const O_NOCTTY = 0o400
const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000
const F_SETFL = 4
const TIOCSPTLCK = 0x40045431
const TIOCGPTPEER = 0x5441
const TIOCSWINSZ = 0x5414
const TCSANOW = 0
/** More than `struct termios` takes anywhere. */
const TERMIOS_BYTES = 128

export interface Pty {
  /** Non-blocking. */
  readonly master: number
  /** Raw: what is written to either end comes out of the other unchanged. */
  readonly slave: number
}

/** A pseudo-terminal (pty(7)); both ends are close-on-exec, and nobody's controlling terminal yet. @throws {SysError} */
export function openPty(): Pty {
  const master = check('open /dev/ptmx', native.open('/dev/ptmx', O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK))
  try {
    check('unlock a pty', native.ioctlPointer(master, TIOCSPTLCK, Buffer.alloc(4)))
    const slave = check('open a pty', native.ioctlNumber(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC))
    const settings = Buffer.alloc(TERMIOS_BYTES)
    native.tcgetattr(slave, settings)
    native.cfmakeraw(settings)
    native.tcsetattr(slave, TCSANOW, settings)
    return { master, slave }
  } catch (error) {
    closeFd(master)
    throw error
  }
}

/** Tells a terminal its size, and SIGWINCH to who uses it. False if it has hung up. */
export function setWindowSize(fd: number, { rows, columns }: { rows: number; columns: number }): boolean {
  return native.ioctlPointer(fd, TIOCSWINSZ, Buffer.from(Uint16Array.of(rows, columns, 0, 0).buffer)) === 0
}

export function setNonBlocking(fd: number): void {
  check(`set flags of descriptor ${fd}`, native.fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK))
}
