import { rmSync } from 'node:fs'
import { closeFd } from './fd.ts'
import { check, errno, koffi, libc } from './libc.ts'
import { unixAddress } from './unix-address.ts'

const native = {
  socket: libc('int socket(int, int, int)'),
  bind: libc('int bind(int, const void*, uint32_t)'),
  listen: libc('int listen(int, int)'),
  accept: libc('int accept4(int, void*, void*, int)'),
  recvmsg: libc('int64_t recvmsg(int, void*, int)'),
}

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const ACCEPT_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK
const EAGAIN = 11
const MSG_CMSG_CLOEXEC = 0x40000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
/** cmsghdr(3): length 8, level 4, type 4, and one descriptor. */
const CMSG_BYTES = 20n

/** A socket file that somebody will send a descriptor to. Disposing removes it. */
export interface DescriptorReceiver extends Disposable {
  /** The first descriptor that comes, close-on-exec: the caller's. Stays open if none comes before it is disposed. */
  readonly received: Promise<number>
  /** What has come by now and was not received yet, for a caller who knows that nothing more will come. */
  take(): number | undefined
}

/** Listens on a new socket file for one SCM_RIGHTS message (unix(7)). @throws {SysError} */
export function receiveDescriptor(path: string): DescriptorReceiver {
  const listener = check(`make ${path}`, native.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
  const address = unixAddress(path)
  try {
    check(`make ${path}`, native.bind(listener, address, address.length))
    check(`listen on ${path}`, native.listen(listener, 1))
  } catch (error) {
    closeFd(listener)
    throw error
  }
  return new Receiver(path, listener)
}

class Receiver implements DescriptorReceiver {
  readonly received: Promise<number>
  readonly #path: string
  readonly #listener: number
  #connection: number | undefined
  #poll: ReturnType<typeof koffi.node.poll> | undefined
  #closed = false
  /** The descriptor has come. */
  #isDone = false

  constructor(path: string, listener: number) {
    this.#path = path
    this.#listener = listener
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    promise.catch(() => {})
    this.received = promise
    this.#wait(resolve, reject)
  }

  take(): number | undefined {
    // The numbers are somebody else's by now.
    if (this.#closed || this.#isDone) return undefined
    this.#connection ??= this.#orNothing('accept on', native.accept(this.#listener, null, null, ACCEPT_FLAGS))
    return this.#connection === undefined ? undefined : this.#receive(this.#connection)
  }

  [Symbol.dispose](): void {
    if (this.#closed) return
    this.#closed = true
    this.#stop()
    for (const fd of [this.#listener, this.#connection]) if (fd !== undefined) closeFd(fd)
    rmSync(this.#path, { force: true })
  }

  #wait(resolve: (fd: number) => void, reject: (error: unknown) => void): void {
    const handle = koffi.node.poll(this.#connection ?? this.#listener, { readable: true }, () => {
      handle.stop()
      setImmediate(() => {
        if (this.#closed) return
        this.#stop()
        try {
          const fd = this.take()
          if (fd === undefined) this.#wait(resolve, reject)
          else resolve(fd)
        } catch (error) {
          reject(error)
        }
      })
    })
    this.#poll = handle
  }

  #stop(): void {
    this.#poll?.stop()
    this.#poll?.close()
    this.#poll = undefined
  }

  #receive(connection: number): number | undefined {
    const control = Buffer.alloc(64)
    const data = Buffer.alloc(4096)
    const iov = Buffer.alloc(16)
    iov.writeBigUInt64LE(koffi.address(data), 0)
    iov.writeBigUInt64LE(BigInt(data.length), 8)
    // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
    const message = Buffer.alloc(56)
    message.writeBigUInt64LE(koffi.address(iov), 16)
    message.writeBigUInt64LE(1n, 24)
    message.writeBigUInt64LE(koffi.address(control), 32)
    message.writeBigUInt64LE(BigInt(control.length), 40)
    if (this.#orNothing('receive on', native.recvmsg(connection, message, MSG_CMSG_CLOEXEC)) === undefined) return
    const isRights = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS
    if (!isRights || control.readBigUInt64LE(0) !== CMSG_BYTES) throw new Error(`no descriptor came on ${this.#path}`)
    this.#isDone = true
    return control.readInt32LE(16)
  }

  /** Undefined for what would block. */
  #orNothing(operation: string, result: number | bigint): number | undefined {
    if (Number(result) < 0 && errno() === EAGAIN) return undefined
    return check(`${operation} ${this.#path}`, result)
  }
}
