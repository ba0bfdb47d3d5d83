import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { TLSSocket, Server as TlsServer } from 'node:tls'
import { systemCode } from '../../lib/errors.ts'
import type { Logger } from '../../lib/log.ts'
import { auditConnection } from '../http/audit.ts'
import type { Caller } from '../http/caller.ts'
import type { ServerCredentials } from './certificates.ts'
import { spiffeIdOf } from './spiffe-id.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000

export interface TlsListenerOptions {
  readonly host: string
  readonly port: number
  readonly credentials: ServerCredentials
  /** What the SPIFFE id of those who may ask begins with. */
  readonly role: string
  /** Takes over a connection whose holder has shown a certificate of ours, of whatever role. */
  readonly accept: (connection: TLSSocket, caller: Caller) => void
  /** Where refused handshakes are told. */
  readonly auditLog: Logger
}

/**
 * TLS 1.3, for holders of a certificate that our issuer has signed; others fail the handshake, into the audit log.
 * node:tls is loaded with the first connection: it takes 10 MB that most daemons never need.
 */
export class TlsListener implements Disposable {
  readonly #options: TlsListenerOptions
  readonly #acceptor: Server
  #credentials: ServerCredentials
  #tls: TlsServer | undefined
  readonly #greeting = new Set<Socket>()

  private constructor(options: TlsListenerOptions) {
    this.#options = options
    this.#credentials = options.credentials
    const net = process.getBuiltinModule('node:net')
    this.#acceptor = net.createServer((connection) => this.#greet(connection))
  }

  /** @throws the system's error, `EADDRINUSE` ... */
  static async listen(options: TlsListenerOptions): Promise<TlsListener> {
    const listener = new TlsListener(options)
    listener.#acceptor.listen({ host: options.host, port: options.port })
    await once(listener.#acceptor, 'listening')
    return listener
  }

  get port(): number {
    return (this.#acceptor.address() as AddressInfo).port
  }

  /** For connections from now on. */
  renew(credentials: ServerCredentials): void {
    this.#credentials = credentials
    this.#tls?.setSecureContext(secureContext(credentials))
  }

  /** Takes no further connection; those that were accepted go on. */
  [Symbol.dispose](): void {
    this.#acceptor.close()
    for (const connection of this.#greeting) connection.destroy()
  }

  #greet(connection: Socket): void {
    this.#greeting.add(connection)
    connection.once('close', () => this.#greeting.delete(connection))
    this.#tls ??= this.#createTls()
    this.#tls.emit('connection', connection)
  }

  #createTls(): TlsServer {
    const { accept, role, auditLog } = this.#options
    const { createServer } = process.getBuiltinModule('node:tls')
    const tls = createServer({
      ...secureContext(this.#credentials),
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: ['http/1.1'],
    })
    tls.on('secureConnection', (connection) => {
      const certificate = connection.getPeerX509Certificate()
      const spiffeId = certificate && spiffeIdOf(certificate)
      accept(connection, {
        who: { spiffeId, address: connection.remoteAddress },
        admitted: spiffeId?.startsWith(role) ?? false,
      })
    })
    tls.on('tlsClientError', (error, connection) => {
      const reason = connection.authorizationError ?? systemCode(error) ?? error.message
      // Who leaves in the middle of the greeting was not refused.
      if (String(reason) !== 'ECONNRESET')
        auditConnection(auditLog, { address: connection.remoteAddress }, String(reason))
      connection.destroy()
    })
    return tls
  }
}

function secureContext({ certificate, key, clientCa }: ServerCredentials) {
  return { cert: certificate, key, ca: clientCa }
}
