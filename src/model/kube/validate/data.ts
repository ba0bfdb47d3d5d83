import type { ConfigMapManifest } from '../config-map.ts'
import { dataKeyProblem } from '../names.ts'
import type { SecretManifest } from '../secret.ts'
import { type Faults, faultIf } from './fault-if.ts'

type Texts = Readonly<Record<string, string>>

/** Of all values together, decoded. */
const MAX_BYTES = 1024 * 1024
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Keys that a Secret of a type must have; of a list within, one at least. */
const REQUIRED_KEYS: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/basic-auth': [['username', 'password']],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}
const JSON_KEYS = ['.dockercfg', '.dockerconfigjson']

export function* configMapFaults({ data = {}, binaryData = {} }: ConfigMapManifest): Faults {
  yield* keyFaults('data', data)
  yield* keyFaults('binaryData', binaryData)
  yield* base64Faults('binaryData', binaryData)
  for (const key of Object.keys(binaryData)) {
    yield* faultIf(`binaryData.${key}`, Object.hasOwn(data, key) && `repeats "data.${key}"`)
  }
  yield* sizeFaults('data', bytesOf(data) + decodedBytesOf(binaryData))
}

/** Of one whose `stringData` has been put into `data`. */
export function* secretFaults({ data = {}, type = '' }: SecretManifest): Faults {
  yield* keyFaults('data', data)
  yield* base64Faults('data', data)
  yield* sizeFaults('data', decodedBytesOf(data))
  const required = Object.hasOwn(REQUIRED_KEYS, type) ? REQUIRED_KEYS[type]! : []
  for (const keys of required.map((key) => [key].flat())) {
    const isThere = keys.some((key) => Object.hasOwn(data, key))
    yield* faultIf(`data.${keys.join(' or data.')}`, !isThere && `is missing, which "type": "${type}" asks for`)
  }
  for (const key of JSON_KEYS.filter((key) => required.includes(key) && Object.hasOwn(data, key))) {
    yield* faultIf(`data.${key}`, !isJson(Buffer.from(data[key]!, 'base64')) && 'must be JSON in base64')
  }
}

function* keyFaults(path: string, data: Texts): Faults {
  for (const key of Object.keys(data)) {
    const problem = dataKeyProblem(key)
    yield* faultIf(`${path}.${key}`, problem && `has an invalid key: it ${problem}`)
  }
}

function* base64Faults(path: string, data: Texts): Faults {
  for (const [key, text] of Object.entries(data)) {
    const plain = withoutLines(text)
    const isBase64 = plain.length % 4 === 0 && BASE64.test(plain)
    yield* faultIf(`${path}.${key}`, !isBase64 && 'must be in base64')
  }
}

function* sizeFaults(path: string, bytes: number): Faults {
  yield* faultIf(path, bytes > MAX_BYTES && `may have at most ${MAX_BYTES} bytes together, not ${bytes}`)
}

function bytesOf(data: Texts): number {
  return Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}

function decodedBytesOf(data: Texts): number {
  return Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(withoutLines(text), 'base64'), 0)
}

/** base64(1) writes lines, and Go's decoder passes over their ends. */
function withoutLines(text: string): string {
  return text.replaceAll(/[\r\n]/g, '')
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}
