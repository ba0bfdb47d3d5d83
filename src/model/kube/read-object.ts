import { didYouMean } from '../../lib/did-you-mean.ts'
import { StatusError } from '../../lib/errors.ts'
import { examine, type Fault, type Ignored } from '../../lib/examine.ts'
import { isObject } from '../../lib/is-object.ts'
import { KUBE_KINDS, type KubeKind, type KubeManifest } from './kinds.ts'
import { manifestFaults } from './validate/manifest.ts'

export interface ReadObject {
  /** As the manifest states it: without defaults, status, what the server sets, nulls and empty optional texts. */
  readonly object: KubeManifest
  /** Of fields that Kubernetes honours and this does not, by their paths. */
  readonly warnings: readonly string[]
}

const MAX_TOLD = 10

/**
 * Reads one document of a manifest, parsed from JSON or YAML. `what` names it where its kind is not known:
 * `web.yaml, document 2`.
 * @throws {StatusError} `invalid_argument`, naming the object and up to ten places; `details.faults` has all
 */
export function readObject(value: unknown, what: string): ReadObject {
  const kind = kindOf(value, what)
  const name = nameOf(value)
  const subject = name === undefined ? kind : `${kind} "${name}"`
  const {
    value: object,
    faults,
    ignored,
  } = examine<KubeManifest>(KUBE_KINDS[kind].schema, value, { emptyIsAbsent: true })
  if (faults.length > 0) throw refusal(subject, faults)
  const invalid = manifestFaults(object)
  if (invalid.length > 0) throw refusal(subject, invalid)
  return { object, warnings: ignored.map(warningOf) }
}

function kindOf(value: unknown, what: string): KubeKind {
  if (!isObject(value)) throw refused(`${what}: an object of Kubernetes is wanted, with apiVersion and kind`)
  const { apiVersion, kind } = value
  if (typeof kind !== 'string' || kind === '') throw refused(`${what}: kind is required`)
  if (!isKind(kind)) {
    const known = Object.keys(KUBE_KINDS)
    const near = didYouMean(kind.slice(0, 64), known, 3)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    throw refused(`${what}: unsupported kind: ${kind.slice(0, 64)}${hint}; known are ${known.join(', ')}`)
  }
  const right = KUBE_KINDS[kind].apiVersion
  if (apiVersion === undefined || apiVersion === null || apiVersion === '') {
    throw refused(`${what}: apiVersion is required; that of ${kind} is ${right}`)
  }
  if (apiVersion !== right) throw refused(`${what}: the apiVersion of ${kind} is ${right}, not ${text(apiVersion)}`)
  return kind
}

function isKind(kind: string): kind is KubeKind {
  return Object.hasOwn(KUBE_KINDS, kind)
}

/** For messages, from a document of which nothing is known yet. */
function nameOf(value: unknown): string | undefined {
  const metadata = isObject(value) ? value['metadata'] : undefined
  const name = isObject(metadata) ? (metadata['name'] ?? metadata['generateName']) : undefined
  return typeof name === 'string' && name !== '' ? name.slice(0, 253) : undefined
}

function warningOf({ path, mark }: Ignored): string {
  return mark.why === undefined ? `${path} is not honoured yet` : `${path} is not honoured: ${mark.why}`
}

function refusal(subject: string, faults: readonly Fault[]): StatusError {
  const told = faults.slice(0, MAX_TOLD).map(sentenceOf)
  if (told.length === 1) return refused(`${subject}: ${told[0]}`, faults)
  const rest = faults.length > MAX_TOLD ? `; and ${faults.length - MAX_TOLD} more` : ''
  return refused(`${subject} has ${faults.length} faults: ${told.join('; ')}${rest}`, faults)
}

function sentenceOf({ path, problem, known }: Fault): string {
  const short = path.length > 200 ? `${path.slice(0, 200)}...` : path
  const near = known && didYouMean(path.slice(path.lastIndexOf('.') + 1).slice(0, 64), known)
  return `"${short}" ${problem}${near === undefined ? '' : `; did you mean "${near}"?`}`
}

function refused(message: string, faults: readonly Fault[] = []): StatusError {
  return new StatusError('invalid_argument', message, { details: { faults } })
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 64) : JSON.stringify(value).slice(0, 64)
}
