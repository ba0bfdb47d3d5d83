import { connect, isIP, type Socket } from 'node:net'
import { hasCode, toStatusError } from '../../lib/errors.ts'
import { resolveHost } from './resolve-host.ts'

export interface Server {
  /** Address or name. */
  readonly host: string
  readonly port: number
  /** With TLS; certificates are not looked at. */
  readonly isSecure: boolean
}

export interface Conversation<T> {
  readonly socket: Socket
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/**
 * Connects to a server that is not to be trusted, and does what `begin` begins, until that resolves or rejects. Nothing
 * is left of the connection then.
 * @throws {StatusError} `resource_exhausted` if it is this host that cannot
 * @throws {Error} what it rejects with, or that there is no connection, or no end of it before that of the signal
 */
export async function converse<T>(
  signal: AbortSignal,
  { host, port, isSecure }: Server,
  begin: (conversation: Conversation<T>) => void,
): Promise<T> {
  const address = await resolveHost(signal, host)
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const tooLate = () => reject(new Error('there was no answer in time'))
  if (signal.aborted) tooLate()
  signal.addEventListener('abort', tooLate)
  const socket = isSecure ? connectSecurely(address, port, host) : connect({ host: address, port })
  // Stays for good: there may be errors when nobody waits any more.
  socket.on('error', (error) => reject(isOwnFault(error) ? toStatusError(error) : error))
  try {
    begin({ socket, resolve, reject })
    return await promise
  } finally {
    signal.removeEventListener('abort', tooLate)
    socket.destroy()
  }
}

/** node:tls is loaded with the first connection: it takes 10 MB that most daemons never need. */
function connectSecurely(address: string, port: number, name: string): Socket {
  const { connect } = process.getBuiltinModule('node:tls')
  const servername = isIP(name) === 0 ? { servername: name } : {}
  return connect({ host: address, port, ...servername, rejectUnauthorized: false })
}

/** As that the daemon has too many files open: nobody else's container is to be ended for it. */
function isOwnFault(error: Error): boolean {
  return hasCode(toStatusError(error), 'resource_exhausted')
}
