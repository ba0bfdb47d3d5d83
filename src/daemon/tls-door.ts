import type { HttpServer } from '../api/http/server.ts'
import { CLI_ROLE, ensureCertificates, type ServerCredentials, TlsListener } from '../api/tls/index.ts'
import { coalesce } from '../lib/coalesce.ts'
import { messageOf, StatusError, systemCode } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'
import { hostAddress } from '../linux/host-address.ts'
import { watchHostAddresses } from '../linux/rtnetlink.ts'
import type { Config } from './config.ts'

/** How often the certificates are compared with the date: a few ms. */
const CHECK_INTERVAL_MS = 10 * 60_000
/** Addresses and routes change together, in steps. */
const SETTLE_MS = 500

export interface TlsDoorOptions {
  readonly address: NonNullable<Config['listen']>
  readonly certDir: string
  readonly server: HttpServer
  readonly log: Logger
  readonly auditLog: Logger
}

/**
 * Lets the command line and other holders of a certificate of `certDir` in, over TLS. The certificates are made if
 * they are not there, which takes seconds, and kept current for as long as this is open: with the date, and with the
 * host's address as the kernel tells of its changes. SIGHUP asks for it at once.
 * @throws {StatusError} `failed_precondition` if the address is taken or a file in the way
 */
export async function openTlsDoor({ address, certDir, server, log, auditLog }: TlsDoorOptions): Promise<Disposable> {
  const ensure = () => ensureCertificates({ directory: certDir, hostAddress: hostAddress(), log })
  const accept: HttpServer['adopt'] = (connection, caller) => server.adopt(connection, caller)
  const options = { ...address, credentials: await ensure(), role: CLI_ROLE, accept, auditLog }
  const listener = await TlsListener.listen(options).catch((error) => {
    throw cannotListen(address, error)
  })
  const check = coalesce(SETTLE_MS, () => renew(listener, ensure, log))
  const timer = setInterval(check.call, CHECK_INTERVAL_MS).unref()
  const addresses = watchHostAddresses(check.call)
  process.on('SIGHUP', check.call)
  return {
    [Symbol.dispose]() {
      process.off('SIGHUP', check.call)
      clearInterval(timer)
      addresses[Symbol.dispose]()
      check[Symbol.dispose]()
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
