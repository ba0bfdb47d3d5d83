import { createHash, createPublicKey, type KeyObject, randomBytes, sign, type X509Certificate } from 'node:crypto'
import {
  bitString,
  boolean,
  context,
  integer,
  nothing,
  objectId,
  octetString,
  printableString,
  sequence,
  set,
  time,
} from './der.ts'

const OID = {
  sha256WithRsa: '1.2.840.113549.1.1.11',
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const

/** Their bits of RFC 5280, 4.2.1.3. */
const USAGE_BIT = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const
/** The context tags of a GeneralName (RFC 5280, 4.2.1.6). */
const GENERAL_NAME = { dns: 2, uri: 6, ip: 7 } as const

/** What a certificate says of its holder. */
export interface CertificateContent {
  readonly commonName: string
  readonly isCa: boolean
  readonly usages: readonly (keyof typeof USAGE_BIT)[]
  readonly extendedUsage?: 'serverAuth' | 'clientAuth'
  readonly names: readonly AlternativeName[]
  readonly notBefore: number
  readonly notAfter: number
}

/** IPv4 addresses only. */
export interface AlternativeName {
  readonly kind: keyof typeof GENERAL_NAME
  readonly text: string
}

/** Who signs: without a certificate the one it makes is self-signed. */
export interface Issuer {
  readonly key: KeyObject
  readonly certificate?: X509Certificate | undefined
}

/** An X.509 v3 certificate (RFC 5280) as PEM, signed with RSA and SHA-256. `key` is the holder's, of either kind. */
export function issueCertificate(content: CertificateContent, key: KeyObject, issuer: Issuer): string {
  const holder = key.type === 'private' ? createPublicKey(key) : key
  const keyInfo = holder.export({ type: 'spki', format: 'der' })
  const algorithm = sequence(objectId(OID.sha256WithRsa), nothing)
  const subject = distinguishedName(content.commonName)
  const toBeSigned = sequence(
    context(0, true, integer(Buffer.of(2))), // v3
    integer(randomBytes(16)),
    algorithm,
    issuer.certificate === undefined ? subject : distinguishedName(commonNameOf(issuer.certificate)),
    sequence(time(content.notBefore), time(content.notAfter)),
    subject,
    keyInfo,
    context(3, true, sequence(...extensions(content, keyInfo, issuer.certificate))),
  )
  const der = sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, issuer.key)))
  const lines = der.toString('base64').match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** The CN of a subject that consists of nothing else, as all of ours do. */
export function commonNameOf({ subject }: X509Certificate): string {
  return /^CN=([^\n]*)$/.exec(subject)?.[1] ?? ''
}

function extensions(
  { isCa, usages, extendedUsage, names }: CertificateContent,
  keyInfo: Buffer,
  issuer: X509Certificate | undefined,
): Buffer[] {
  const keyId = keyIdOf(keyInfo)
  const issuerKeyId = issuer === undefined ? keyId : subjectKeyIdOf(issuer)
  return [
    ...(isCa ? [extension(OID.basicConstraints, true, sequence(boolean(true)))] : []),
    extension(OID.keyUsage, true, usageBits(usages)),
    ...(extendedUsage === undefined
      ? []
      : [extension(OID.extendedKeyUsage, false, sequence(objectId(OID[extendedUsage])))]),
    extension(OID.subjectKeyId, false, octetString(keyId)),
    ...(issuerKeyId === undefined
      ? []
      : [extension(OID.authorityKeyId, false, sequence(context(0, false, issuerKeyId)))]),
    ...(names.length === 0 ? [] : [extension(OID.subjectAltName, false, sequence(...names.map(generalName)))]),
  ]
}

function extension(id: string, critical: boolean, content: Uint8Array): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octetString(content))
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(objectId(OID.commonName), printableString(commonName))))
}

function generalName({ kind, text }: AlternativeName): Buffer {
  const bytes = kind === 'ip' ? Buffer.from(text.split('.').map(Number)) : Buffer.from(text, 'latin1')
  return context(GENERAL_NAME[kind], false, bytes)
}

/** A named bit list: bit 0 is the highest, and zeros at the end are cut off. */
function usageBits(usages: CertificateContent['usages']): Buffer {
  const bits: readonly number[] = usages.map((usage) => USAGE_BIT[usage])
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0)
  return bitString(Buffer.of(byte), 7 - Math.max(...bits))
}

/** The first 160 bits of SHA-256 over the key (RFC 7093, 2, method 4). */
function keyIdOf(keyInfo: Uint8Array): Buffer {
  return createHash('sha256').update(keyInfo).digest().subarray(0, 20)
}

/** The content of the extension: its id, then an OCTET STRING in an OCTET STRING. */
function subjectKeyIdOf({ raw }: X509Certificate): Buffer | undefined {
  const id = objectId(OID.subjectKeyId)
  const at = raw.indexOf(id)
  if (at < 0) return undefined
  const start = at + id.length + 4
  return raw.subarray(start, start + raw[start - 1]!)
}
