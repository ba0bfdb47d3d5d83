import type { HttpServer } from '../api/http/server.ts'
import { CLI_ROLE, ensureCertificates, type ServerCredentials, TlsListener } from '../api/tls/index.ts'
import { messageOf, StatusError, systemCode } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'
import { hostAddress } from '../linux/host-address.ts'
import type { Config } from './config.ts'

/** How often the certificates are compared with the date and the host's address: a few ms. */
const CHECK_INTERVAL_MS = 10 * 60_000

/**
 * Lets the command line and other holders of a certificate of `certDir` in, over TLS. The certificates are made if
 * they are not there, which takes seconds, and kept current for as long as this is open.
 * @throws {StatusError} `failed_precondition` if the address is taken or a file in the way
 */
export async function openTlsDoor(
  { listen: address, certDir }: Config & { readonly listen: NonNullable<Config['listen']> },
  server: HttpServer,
  log: Logger,
): Promise<Disposable> {
  const ensure = () => ensureCertificates({ directory: certDir, hostAddress: hostAddress(), log })
  const accept: HttpServer['adopt'] = (connection, caller) => server.adopt(connection, caller)
  const credentials = await ensure()
  const listener = await TlsListener.listen({ ...address, credentials, role: CLI_ROLE, accept, log }).catch((error) => {
    throw cannotListen(address, error)
  })
  const timer = setInterval(() => void renew(listener, ensure, log), CHECK_INTERVAL_MS).unref()
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      listener[Symbol.dispose]()
    },
  }
}

/** A failure leaves the listener with what it has: the next check tries again. */
async function renew(listener: TlsListener, ensure: () => Promise<ServerCredentials>, log: Logger): Promise<void> {
  try {
    listener.renew(await ensure())
  } catch (error) {
    log.warn('cannot check or renew the certificates', { reason: messageOf(error) })
  }
}

function cannotListen({ host, port }: NonNullable<Config['listen']>, error: Error): StatusError {
  const taken = systemCode(error) === 'EADDRINUSE'
  const reason = taken ? 'another program has this address' : error.message
  const remedy = 'give --listen another address, or none'
  return new StatusError('failed_precondition', `Cannot listen on ${host}:${port}: ${reason}; ${remedy}`, {
    cause: error,
  })
}
