import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StatusError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/log.ts'
import { lockFile } from '../../linux/flock.ts'
import { ensurePair } from './pair.ts'
import { CLIENT, CLIENT_CA, HOOK_CLIENT, SERVER } from './profiles.ts'

export interface CertificatesRequest {
  /** Made if it is not there. */
  readonly directory: string
  /** Of the link of the default route; the server's certificate holds for it too. */
  readonly hostAddress: string | undefined
  readonly now?: number
  readonly log: Logger
}

/** What a server needs to speak TLS and to know its clients; PEM. */
export interface ServerCredentials {
  readonly certificate: string
  readonly key: string
  readonly clientCa: string
}

/**
 * Makes the certificates that are missing, and anew those that end within a month or lack the host's address: the
 * server's, the issuer of its clients, the command line's and that of the hooks. Making all of them takes seconds of
 * another thread; finding them whole a few ms.
 * @throws {StatusError} `failed_precondition` for a file that is not ours or not whole; `unavailable` while another
 * daemon makes them
 */
export async function ensureCertificates(request: CertificatesRequest): Promise<ServerCredentials> {
  const { directory, hostAddress, now = Date.now(), log } = request
  await mkdir(directory, { recursive: true, mode: 0o755 })
  using _lock = takeDirectory(directory)
  const common = { directory, now, log }
  const names = hostAddress === undefined ? [] : [{ kind: 'ip', text: hostAddress } as const]
  const server = await ensurePair({ ...common, profile: SERVER, names })
  const issuer = await ensurePair({ ...common, profile: CLIENT_CA })
  await ensurePair({ ...common, profile: CLIENT, issuer })
  await ensurePair({ ...common, profile: HOOK_CLIENT, issuer })
  return { certificate: server.certificatePem, key: server.keyPem, clientCa: issuer.certificatePem }
}

function takeDirectory(directory: string): Disposable {
  const lock = lockFile(join(directory, '.lock'))
  if (lock !== undefined) return lock
  throw new StatusError('unavailable', `Another daemon makes the certificates in ${directory}; try again in a moment`)
}
