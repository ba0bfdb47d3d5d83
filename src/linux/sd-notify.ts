import { check, libc } from './libc.ts'

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000
/** Of `sun_path` in struct sockaddr_un. */
const PATH_OFFSET = 2

const socket = libc('int socket(int, int, int)')
const sendto = libc('int64_t sendto(int, const void*, size_t, int, const void*, unsigned int)')
const close = libc('int close(int)')

/**
 * Tells the service manager what this service does (sd_notify(3)): `READY=1`, `STOPPING=1`. Does nothing where none
 * listens. @throws {SysError}
 */
export function notifySystemd(state: string): void {
  const path = process.env['NOTIFY_SOCKET']
  if (path) sendDatagram(path, Buffer.from(state))
}

/** To a unix socket; a path that starts with `@` is abstract (unix(7)). */
function sendDatagram(path: string, data: Uint8Array): void {
  const name = Buffer.from(path)
  if (path.startsWith('@')) name[0] = 0
  const address = Buffer.alloc(PATH_OFFSET + name.length)
  address.writeUInt16LE(AF_UNIX, 0)
  name.copy(address, PATH_OFFSET)
  const fd = check('socket', socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
  try {
    check(`notify ${path}`, sendto(fd, data, data.length, MSG_NOSIGNAL, address, address.length))
  } finally {
    close(fd)
  }
}
