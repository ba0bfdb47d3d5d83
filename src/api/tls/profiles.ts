import type { AlternativeName, CertificateContent } from './certificate.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const YEAR_MS = 365 * DAY_MS

/** Clients are told by the first URI among their names: who has a certificate of another role may ask nothing. */
export const CLI_ROLE = 'spiffe://raind/cli/'

/** One certificate of the directory, `<name>.crt`, and its key, `<name>.key`. The names are Raind's, which its clients know. */
export interface Profile extends Omit<CertificateContent, 'names' | 'notBefore' | 'notAfter'> {
  readonly name: string
  readonly keyBits: number
  readonly lifetimeMs: number
  /** How long before its making it begins to hold, for hosts whose clocks differ. */
  readonly leewayMs: number
  readonly names: readonly AlternativeName[]
}

/** The server's, which its clients trust by itself. The host's address comes to its names. */
export const SERVER: Profile = {
  name: 'raind',
  commonName: 'raind',
  keyBits: 4096,
  lifetimeMs: 5 * YEAR_MS,
  leewayMs: 60 * MINUTE_MS,
  isCa: true,
  usages: ['digitalSignature', 'keyEncipherment', 'keyCertSign'],
  extendedUsage: 'serverAuth',
  names: [
    { kind: 'dns', text: 'localhost' },
    { kind: 'ip', text: '127.0.0.1' },
  ],
}

/** What all clients' certificates are signed with. */
export const CLIENT_CA: Profile = {
  name: 'raindClientCA',
  commonName: 'raind client issuer',
  keyBits: 4096,
  lifetimeMs: 5 * YEAR_MS,
  leewayMs: 60 * MINUTE_MS,
  isCa: true,
  usages: ['keyCertSign', 'cRLSign'],
  names: [],
}

/** The command line's. */
export const CLIENT: Profile = client('raindClient', 'raind-client', `${CLI_ROLE}admin`)

/** That of Droplet's hooks, which ask for their container's certificate with it. */
export const HOOK_CLIENT: Profile = client('raindHookClient', 'raind-hook-client', 'spiffe://raind/droplet/container')

function client(name: string, commonName: string, spiffeId: string): Profile {
  return {
    name,
    commonName,
    keyBits: 3072,
    lifetimeMs: YEAR_MS,
    leewayMs: 5 * MINUTE_MS,
    isCa: false,
    usages: ['digitalSignature'],
    extendedUsage: 'clientAuth',
    names: [{ kind: 'uri', text: spiffeId }],
  }
}
