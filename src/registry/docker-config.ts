import { readFile } from 'node:fs/promises'
import { systemCode } from '../lib/errors.ts'
import { isObject } from '../lib/is-object.ts'
import type { Logger } from '../lib/log.ts'
import { canonicalRegistry, DOCKER_HUB } from './reference.ts'
import type { RegistryAuth } from './types.ts'

const MAX_BYTES = 1024 * 1024

type Json = Readonly<Record<string, unknown>>

/**
 * The credentials that a docker `config.json` holds for a registry. Credential helpers are programs of somebody's
 * login session: they are not run. A file that is absent holds nothing; one that cannot be read is warned about.
 */
export async function dockerConfigAuth(log: Logger, file: string, registry: string): Promise<RegistryAuth | undefined> {
  let config: Json
  try {
    const text = await readFile(file, 'utf8')
    if (text.length > MAX_BYTES) throw new Error('it is too large')
    config = asObject(JSON.parse(text))
  } catch (error) {
    // The error of JSON.parse quotes the text, which holds passwords.
    const reason = systemCode(error) ?? 'it is not valid JSON'
    if (reason !== 'ENOENT') log.warn('docker config ignored', { file, reason })
    return undefined
  }
  const auths = asObject(config['auths'])
  for (const [key, entry] of Object.entries(auths)) {
    if (registryOf(key) !== registry) continue
    const auth = authOf(entry)
    if (auth !== undefined) return auth
  }
  const helper = Object.entries(asObject(config['credHelpers'])).find(([key]) => registryOf(key) === registry)?.[1]
  const program = helper ?? config['credsStore']
  if (typeof program === 'string' && program !== '') {
    log.warn('docker credential helper ignored', { file, registry, helper: program })
  }
  return undefined
}

/** Keys are hosts, or URLs of an older time: `https://index.docker.io/v1/` is Docker Hub. */
function registryOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return canonicalRegistry(host) === DOCKER_HUB ? DOCKER_HUB : host.toLowerCase()
}

/** What is in docker's `config.json`; undefined for a text that is none. */
export function parseDockerConfig(content: string): { readonly auths: Json } | undefined {
  try {
    return { auths: asObject(asObject(JSON.parse(content))['auths']) }
  } catch {
    return undefined
  }
}

/** The credentials of an entry of `auths`. */
export function authOf(value: unknown): RegistryAuth | undefined {
  const entry = asObject(value)
  const text = (key: string) => (typeof entry[key] === 'string' ? entry[key] : '')
  const [username, password] = decodeAuth(text('auth')) ?? [text('username'), text('password')]
  const identityToken = text('identitytoken') || (username === '<token>' ? password : '')
  if (text('registrytoken') !== '') return { registryToken: text('registrytoken') }
  if (identityToken !== '') return { identityToken }
  return username === '' ? undefined : { username, password }
}

function decodeAuth(auth: string): [username: string, password: string] | undefined {
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = decoded.indexOf(':')
  return colon < 1 ? undefined : [decoded.slice(0, colon), decoded.slice(colon + 1)]
}

function asObject(value: unknown): Json {
  return isObject(value) ? (value as Json) : {}
}
