/** bind(2) as a question: sockets that never listen, so that nobody can connect to them. */
import { check, errno, libc, SysError } from './libc.ts'

const socket = libc('int socket(int, int, int)')
const setsockopt = libc('int setsockopt(int, int, int, const void*, uint32_t)')
const bind = libc('int bind(int, const void*, uint32_t)')
const getsockname = libc('int getsockname(int, void*, _Inout_ uint32_t*)')
const close = libc('int close(int)')

const AF_INET = 2
const SOCK = { tcp: 1, udp: 2 } as const
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2

/**
 * Binds an IPv4 socket and closes it at once; returns the port, which the kernel chooses if 0 was asked for.
 * A TCP port whose last connections are in TIME_WAIT counts as free, as it does for any server.
 *
 * @throws {SysError} EADDRINUSE if another socket has the port, EADDRNOTAVAIL if the host has no such address
 */
export function probeBind(address: string, port: number, protocol: 'tcp' | 'udp'): number {
  const fd = check('open a socket', socket(AF_INET, SOCK[protocol] | SOCK_CLOEXEC, 0))
  try {
    if (protocol === 'tcp') setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Buffer.of(1, 0, 0, 0), 4)
    const wanted = socketAddress(address, port)
    if (bind(fd, wanted, wanted.length) < 0) throw new SysError(`bind ${address}:${port}/${protocol}`, errno())
    const bound = Buffer.alloc(16)
    check('read the address of a socket', getsockname(fd, bound, [bound.length]))
    return bound.readUInt16BE(2)
  } finally {
    close(fd)
  }
}

/** struct sockaddr_in */
function socketAddress(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt16LE(AF_INET)
  bytes.writeUInt16BE(port, 2)
  bytes.set(address.split('.').map(Number), 4)
  return bytes
}
