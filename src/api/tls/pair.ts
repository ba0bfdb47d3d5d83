import { createPrivateKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { writeFileAtomically } from '../../lib/atomic-file.ts'
import { messageOf, StatusError, systemCode } from '../../lib/errors.ts'
import type { Logger } from '../../lib/log.ts'
import { type AlternativeName, commonNameOf, issueCertificate } from './certificate.ts'
import type { Profile } from './profiles.ts'

/** A certificate with less time left is made anew. */
export const RENEW_BEFORE_MS = 30 * 24 * 60 * 60 * 1000

const generate = promisify(generateKeyPair)

/** A certificate and the key of its holder, as they are on disk. */
export interface Pair {
  readonly certificate: X509Certificate
  readonly certificatePem: string
  readonly key: KeyObject
  readonly keyPem: string
}

export interface PairRequest {
  readonly directory: string
  readonly profile: Profile
  /** Who signs; none for a self-signed one. */
  readonly issuer?: Pair
  /** Besides those of the profile. */
  readonly names?: readonly AlternativeName[]
  readonly now: number
  readonly log: Logger
}

/**
 * The pair as it is on disk, after making what is missing. A certificate that ends soon, or lacks a name, is made anew
 * with the same key, so that the two files always fit and what an issuer has signed stays valid.
 * @throws {StatusError} `failed_precondition` for files that are not ours or not whole: they are never overwritten
 */
export async function ensurePair(request: PairRequest): Promise<Pair> {
  const { directory, profile, issuer, now, log } = request
  const file = join(directory, `${profile.name}.crt`)
  const keyFile = join(directory, `${profile.name}.key`)
  const [certificatePem, foundKeyPem] = await Promise.all([readIfThere(file), readIfThere(keyFile)])
  if (certificatePem !== undefined && foundKeyPem === undefined) throw unusable(file, `its key, ${keyFile}, is missing`)
  const keyPem = foundKeyPem ?? (await makeKey(keyFile, profile.keyBits))
  const key = await parseKey(keyFile, keyPem)
  if (certificatePem !== undefined) {
    const certificate = parseCertificate(file, certificatePem)
    assertOurs(file, certificate, key, request)
    if (!isOutdated(certificate, request)) return { certificate, certificatePem, key, keyPem }
  }
  const content = {
    ...profile,
    names: namesOf(request),
    notBefore: now - profile.leewayMs,
    notAfter: now + profile.lifetimeMs,
  }
  const made = issueCertificate(content, key, issuer ?? { key })
  await writeFileAtomically(file, made, { mode: 0o644, replace: certificatePem !== undefined })
  const certificate = new X509Certificate(made)
  log.info(certificatePem === undefined ? 'certificate made' : 'certificate renewed', {
    file,
    validTo: certificate.validToDate,
    names: certificate.subjectAltName,
  })
  return { certificate, certificatePem: made, key, keyPem }
}

function isOutdated(certificate: X509Certificate, request: PairRequest): boolean {
  const { validFromDate, validToDate } = certificate
  // Made while the clock was wrong: it does not hold yet.
  if (validFromDate.getTime() > request.now) return true
  if (validToDate.getTime() - request.now < RENEW_BEFORE_MS) return true
  return !namesOf(request).every(({ kind, text }) => {
    if (kind === 'dns') return certificate.checkHost(text) !== undefined
    if (kind === 'ip') return certificate.checkIP(text) !== undefined
    return certificate.subjectAltName?.includes(`URI:${text}`) ?? false
  })
}

function namesOf({ profile, names = [] }: PairRequest): readonly AlternativeName[] {
  return [...profile.names, ...names]
}

function assertOurs(
  file: string,
  certificate: X509Certificate,
  key: KeyObject,
  { profile, issuer }: PairRequest,
): void {
  if (!certificate.checkPrivateKey(key)) throw unusable(file, `it does not belong to the key beside it`)
  if (commonNameOf(certificate) !== profile.commonName) {
    throw unusable(file, `its subject is not "CN=${profile.commonName}", so this daemon has not made it`)
  }
  if (issuer === undefined && !certificate.verify(certificate.publicKey)) throw unusable(file, 'it is not self-signed')
  if (issuer !== undefined && !certificate.verify(issuer.certificate.publicKey)) {
    throw unusable(file, `it is not signed by "${commonNameOf(issuer.certificate)}"`)
  }
}

async function makeKey(file: string, bits: number): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength: bits })
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string
  await writeFileAtomically(file, pem, { mode: 0o600, replace: false })
  return pem
}

async function parseKey(file: string, pem: string): Promise<KeyObject> {
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8)
    throw new StatusError(
      'failed_precondition',
      `Cannot use the key ${file}: others may read it (mode ${shown}); make it 600 if nobody has, else move it away`,
    )
  }
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'rsa') return key
    throw new Error(`it is of type ${key.asymmetricKeyType}, not rsa`)
  } catch (error) {
    throw unusable(file, `it is not a private RSA key (${messageOf(error)})`)
  }
}

function parseCertificate(file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw unusable(file, `it is not a certificate (${messageOf(error)})`)
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw unusable(file, messageOf(error))
  }
}

function unusable(file: string, problem: string): StatusError {
  const remedy = 'move the pair (.crt and .key) away, and the next start of the daemon makes a new one'
  return new StatusError('failed_precondition', `Cannot use ${file}: ${problem}; ${remedy}`)
}
