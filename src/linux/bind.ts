/** bind(2) as a question: sockets that never listen, so that nobody can connect to them. */
import { addressBytes, type Family } from '../lib/ip-address.ts'
import { check, errno, libc, SysError } from './libc.ts'

const socket = libc('int socket(int, int, int)')
const setsockopt = libc('int setsockopt(int, int, int, const void*, uint32_t)')
const bind = libc('int bind(int, const void*, uint32_t)')
const getsockname = libc('int getsockname(int, void*, _Inout_ uint32_t*)')
const close = libc('int close(int)')

const AF = { 4: 2, 6: 10 } as const
const SOCK = { tcp: 1, udp: 2 } as const
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const ON = Buffer.of(1, 0, 0, 0)

/**
 * Binds a socket of the address's family alone and closes it at once; returns the port, which the kernel chooses if 0
 * was asked for.
 * A TCP port whose last connections are in TIME_WAIT counts as free, as it does for any server.
 *
 * @throws {SysError} EADDRINUSE if another socket has the port, EADDRNOTAVAIL if the host has no such address
 */
export function probeBind(address: string, port: number, protocol: 'tcp' | 'udp'): number {
  const bytes = addressBytes(address)
  const family = bytes.length === 16 ? 6 : 4
  const fd = check('open a socket', socket(AF[family], SOCK[protocol] | SOCK_CLOEXEC, 0))
  try {
    if (protocol === 'tcp') setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ON, 4)
    if (family === 6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, ON, 4)
    const wanted = socketAddress(family, bytes, port)
    if (bind(fd, wanted, wanted.length) < 0) throw new SysError(`bind ${address}:${port}/${protocol}`, errno())
    const bound = Buffer.alloc(wanted.length)
    check('read the address of a socket', getsockname(fd, bound, [bound.length]))
    return bound.readUInt16BE(2)
  } finally {
    close(fd)
  }
}

/** struct sockaddr_in, sockaddr_in6 */
function socketAddress(family: Family, address: Buffer, port: number): Buffer {
  const bytes = Buffer.alloc(family === 6 ? 28 : 16)
  bytes.writeUInt16LE(AF[family])
  bytes.writeUInt16BE(port, 2)
  bytes.set(address, family === 6 ? 8 : 4)
  return bytes
}
