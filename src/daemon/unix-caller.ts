import type { Socket } from 'node:net'
import type { Caller } from '../api/http/caller.ts'
import { peerCredentials } from '../linux/peer-credentials.ts'

/** Who is at the other end of a unix socket. That they could open it is what admits them. */
export function unixCaller(connection: Socket): Caller {
  // Node tells the descriptor of a socket nowhere else; a connection that is closed already has none.
  const fd = (connection as { _handle?: { fd: number } | null })._handle?.fd ?? -1
  if (fd < 0) return { who: {}, admitted: true }
  const { uid, pid } = peerCredentials(fd)
  return { who: { uid, pid }, admitted: true }
}
