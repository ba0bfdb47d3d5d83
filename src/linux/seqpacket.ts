import type { Duplex } from 'node:stream'
import { closeFd } from './fd.ts'
import { fdStream } from './fd-stream.ts'
import { check, libc } from './libc.ts'
import { unixAddress } from './unix-address.ts'

const native = {
  socket: libc('int socket(int, int, int)'),
  connect: libc('int connect(int, const void*, uint32_t)'),
}

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000

/**
 * Connects to a SEQPACKET socket file. `take` gets each packet, in memory that is used again, once the stream is
 * resumed; what is written becomes packets of at most `packetBytes`. @throws {SysError}
 */
export function connectSeqpacket(path: string, packetBytes: number, take: (packet: Buffer) => void): Duplex {
  const fd = check(
    `make a socket for ${path}`,
    native.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
  )
  try {
    const address = unixAddress(path)
    check(`connect to ${path}`, native.connect(fd, address, address.length))
  } catch (error) {
    closeFd(fd)
    throw error
  }
  return fdStream(fd, { halfCloses: true, packetBytes, take })
}
