/** What the kernel tells of its changes over netlink, without being asked. */
import { closeFd } from './fd.ts'
import { check, errno, koffi, libc } from './libc.ts'

const socket = libc('int socket(int, int, int)')
const bind = libc('int bind(int, const void*, uint32_t)')
const recv = libc('int64_t recv(int, void*, size_t, int)')

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const ENOBUFS = 105
const HEADER_BYTES = 16

export interface NetlinkGroups {
  /** NETLINK_ROUTE ... (linux/netlink.h). */
  readonly protocol: number
  /** As bits. */
  readonly groups: number
  /** Whether a message is of interest; `payload` follows the netlink header. */
  matters(type: number, payload: Buffer): boolean
}

/**
 * Calls back, from the event loop, after the kernel has told of something that matters in the calling thread's network
 * namespace; once for what comes together. It does not keep the process from its end.
 */
export function watchNetlink({ protocol, groups, matters }: NetlinkGroups, onChange: () => void): Disposable {
  const fd = check('open a netlink socket', socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol))
  try {
    const address = socketAddress(groups)
    check('subscribe to changes', bind(fd, address, address.length))
  } catch (error) {
    closeFd(fd)
    throw error
  }
  let closed = false
  const onReadable = () => {
    handle.stop()
    // A koffi callback drains no microtasks and swallows exceptions: go on from the event loop.
    setImmediate(() => {
      if (closed) return
      const changed = drain(fd, matters)
      handle.start({ readable: true }, onReadable)
      if (changed) onChange()
    })
  }
  const handle = koffi.node.poll(fd, { readable: true }, onReadable)
  handle.unref()
  return {
    [Symbol.dispose]() {
      if (closed) return
      closed = true
      handle.stop()
      handle.close()
      closeFd(fd)
    },
  }
}

/** Takes all that is there; true if some of it matters, or was too much for the socket and is lost. */
function drain(fd: number, matters: NetlinkGroups['matters']): boolean {
  const buffer = Buffer.alloc(32_768)
  let changed = false
  for (;;) {
    const length = Number(recv(fd, buffer, buffer.length, 0))
    if (length < 0) {
      if (errno() !== ENOBUFS) return changed
      changed = true
    }
    for (let offset = 0; offset + HEADER_BYTES < length; ) {
      const size = buffer.readUInt32LE(offset)
      changed ||= matters(buffer.readUInt16LE(offset + 4), buffer.subarray(offset + HEADER_BYTES, offset + size))
      offset += (Math.max(size, HEADER_BYTES) + 3) & ~3
    }
  }
}

/** struct sockaddr_nl; the kernel chooses the port. */
function socketAddress(groups: number): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16LE(AF_NETLINK)
  bytes.writeUInt32LE(groups, 8)
  return bytes
}
