import { closeFd } from './fd.ts'
import { check, errno, koffi, libc, SysError } from './libc.ts'
import { processStat } from './process.ts'

const native = {
  syscall: libc('long syscall(long, long, long, long, long)'),
}

/** The same numbers on every architecture. */
const SYS_pidfd_send_signal = 424
const SYS_pidfd_open = 434
export const ESRCH = 3

/** A process by reference: it cannot turn into another one, as a pid can. */
export class Pidfd implements Disposable {
  readonly pid: number
  readonly #fd: number
  #end: Promise<void> | undefined
  #stopWatching: (() => void) | undefined
  #closed = false

  /** Undefined if the process is gone. With `startTime`, also if the pid is another process's by now. */
  static open(pid: number, startTime?: number): Pidfd | undefined {
    const fd = native.syscall(SYS_pidfd_open, pid, 0, 0, 0)
    if (fd < 0) {
      if (errno() === ESRCH) return undefined
      throw new SysError(`pidfd_open ${pid}`, errno())
    }
    const pidfd = new Pidfd(pid, Number(fd))
    if (startTime === undefined || processStat(pid)?.startTime === startTime) return pidfd
    pidfd[Symbol.dispose]()
    return undefined
  }

  private constructor(pid: number, fd: number) {
    this.pid = pid
    this.#fd = fd
  }

  /** Resolves when the process has ended (it may not be reaped yet). Never, if disposed before. */
  get end(): Promise<void> {
    this.#end ??= new Promise((resolve) => {
      const handle = koffi.node.poll(this.#fd, { readable: true }, () => {
        handle.stop()
        // A koffi callback drains no microtasks and swallows exceptions: go on from the event loop.
        setImmediate(() => {
          this.#stopWatching?.()
          resolve()
        })
      })
      this.#stopWatching = () => {
        this.#stopWatching = undefined
        handle.stop()
        handle.close()
      }
    })
    return this.#end
  }

  /** False if the process has ended. */
  signal(signal: number): boolean {
    if (this.#closed) return false
    if (native.syscall(SYS_pidfd_send_signal, this.#fd, signal, 0, 0) >= 0) return true
    if (errno() === ESRCH) return false
    throw new SysError(`send signal ${signal} to process ${this.pid}`, errno())
  }

  [Symbol.dispose](): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopWatching?.()
    closeFd(this.#fd)
  }
}

/** Sends to exactly that process. False if it is gone. */
export function signalProcess(pid: number, startTime: number, signal: number): boolean {
  using pidfd = Pidfd.open(pid, startTime)
  return pidfd?.signal(signal) ?? false
}

const waitpid = libc('int waitpid(int, _Out_ int*, int)')
const WNOHANG = 1

/** Reaps a process that has ended, should it be a child of ours. */
export function tryReap(pid: number): void {
  waitpid(pid, [0], WNOHANG)
}

/** Reaps a child that has ended: its exit code, or 128 + the signal that killed it. */
export function reap(pid: number): number {
  const status: [number] = [0]
  check(`waitpid ${pid}`, waitpid(pid, status, WNOHANG))
  const signal = status[0] & 0x7f
  return signal === 0 ? (status[0] >> 8) & 0xff : 128 + signal
}
