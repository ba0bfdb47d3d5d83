import { check, libc } from './libc.ts'

const getsockopt = libc('int getsockopt(int, int, int, void*, _Inout_ uint32_t*)')
const SOL_SOCKET = 1
const SO_PEERCRED = 17

export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** Who connected to a unix socket (unix(7), SO_PEERCRED), as it was at that moment: the process may be gone. */
export function peerCredentials(fd: number): PeerCredentials {
  const ucred = Buffer.alloc(12)
  check('read the credentials of a peer', getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, [ucred.length]))
  return { pid: ucred.readInt32LE(0), uid: ucred.readUInt32LE(4), gid: ucred.readUInt32LE(8) }
}
