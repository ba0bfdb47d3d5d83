import { StatusError } from '../lib/errors.ts'
import { isObject } from '../lib/is-object.ts'
import { KUBE_KINDS, type KubeKind, type KubeManifest } from '../model/kube/kinds.ts'
import { readObject } from '../model/kube/read-object.ts'
import { DEFAULT_NAMESPACE } from '../model/meta.ts'
import { type DocumentPlace, readDocuments } from './documents.ts'
import { type DocumentFailure, failureOf } from './manifest-failure.ts'
import { fromRaindSpellings } from './raind-spellings.ts'
import { withVariablesOnce } from './variables-once.ts'

/** etcd's limit of a request. */
const MAX_OBJECT_BYTES = 1.5 * 1024 * 1024

/** A manifest that may be applied, and what is to be said about it. */
export interface ReadManifest extends DocumentPlace {
  readonly manifest: KubeManifest
  readonly warnings: readonly string[]
  /** Of the object that it was read from, which must be there as it was then. */
  readonly precondition: Precondition
}

export interface Precondition {
  readonly uid?: string
  readonly resourceVersion?: string
}

/** What a manifest names that need not be whole. */
export interface ManifestName extends DocumentPlace {
  readonly kind: KubeKind
  /** Empty for what is in none. */
  readonly namespace: string
  readonly name: string
}

/** Spellings of the original of Raind that are taken. */
export interface RaindSpellings {
  /** 0 replicas are 0, and not 1 as it has them. */
  readonly zeroReplicas: boolean
}

/** What is to be made of a text. */
export type Reading = {
  /** Of what names none; what names another is at fault. */
  readonly namespace?: string
} & ({ readonly as: 'manifests'; readonly raind?: RaindSpellings } | { readonly as: 'names' })
export type Outcome<R extends Reading> = (R['as'] extends 'manifests' ? ReadManifest : ManifestName) | DocumentFailure

/** Each object of a text, or what is wrong with it. @throws {StatusError} `invalid_argument` for what is too large */
export async function readManifests<R extends Reading>(text: string, reading: R): Promise<Outcome<R>[]> {
  const documents = await readDocuments(text)
  return documents.map((document): Outcome<R> => {
    const { document: number, place } = document
    const at = { document: number, place }
    const value = 'value' in document ? document.value : undefined
    try {
      if ('unreadable' in document) throw unreadable(place, document.unreadable)
      return (
        reading.as === 'manifests' ? readManifest(value, at, reading) : identify(value, at, reading.namespace)
      ) as Outcome<R>
    } catch (error) {
      return failureOf(at, value, error)
    }
  })
}

function readManifest(
  value: unknown,
  at: DocumentPlace,
  { raind, namespace }: Extract<Reading, { readonly as: 'manifests' }>,
): ReadManifest {
  const converted = raind === undefined ? { value, warnings: [] } : fromRaindSpellings(value, raind)
  const once = withVariablesOnce(converted.value)
  const { object, warnings } = readObject(once.value, at.place)
  const bytes = Buffer.byteLength(JSON.stringify(object))
  if (bytes > MAX_OBJECT_BYTES) {
    throw new StatusError(
      'invalid_argument',
      `${object.kind} "${object.metadata.name}" is too large: an object may have ${MAX_OBJECT_BYTES} bytes as JSON, not ${bytes}`,
    )
  }
  return {
    ...at,
    manifest: inNamespace(object, namespace),
    warnings: [...converted.warnings, ...once.warnings, ...warnings],
    precondition: preconditionOf(value),
  }
}

function inNamespace(manifest: KubeManifest, namespace: string | undefined): KubeManifest {
  const { kind, metadata } = manifest
  if (namespace === undefined || !KUBE_KINDS[kind].namespaced) return manifest
  assertSameNamespace(`${kind} "${metadata.name ?? metadata.generateName}"`, metadata.namespace, namespace)
  return { ...manifest, metadata: { ...metadata, namespace } } as KubeManifest
}

function assertSameNamespace(what: string, own: string | undefined, asked: string | undefined): void {
  if (asked === undefined || own === undefined || own === asked) return
  throw new StatusError('invalid_argument', `${what} is of namespace "${own}", and not of "${asked}" as is asked for`)
}

function preconditionOf(value: unknown): Precondition {
  const metadata = isObject(value) && isObject(value['metadata']) ? value['metadata'] : {}
  const { uid, resourceVersion } = metadata
  return {
    ...(typeof uid === 'string' && uid !== '' && { uid }),
    ...(typeof resourceVersion === 'string' && resourceVersion !== '' && { resourceVersion }),
  }
}

function identify(value: unknown, at: DocumentPlace, asked: string | undefined): ManifestName {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } }
  const known = typeof kind === 'string' && Object.hasOwn(KUBE_KINDS, kind) ? (kind as KubeKind) : undefined
  if (known === undefined) {
    const what = kind === undefined ? 'kind is required' : `unsupported kind: ${String(kind).slice(0, 100)}`
    throw unreadable(at.place, what)
  }
  const { name, namespace } = metadata ?? {}
  if (typeof name !== 'string' || name === '') throw unreadable(at.place, 'metadata.name is required')
  if (!KUBE_KINDS[known].namespaced) return { ...at, kind: known, name, namespace: '' }
  const own = typeof namespace === 'string' && namespace !== '' ? namespace : undefined
  assertSameNamespace(`${known} "${name}"`, own, asked)
  return { ...at, kind: known, name, namespace: own ?? asked ?? DEFAULT_NAMESPACE }
}

function unreadable(place: string, why: string): StatusError {
  return new StatusError('invalid_argument', `The manifest cannot be read: ${place}: ${why}`)
}
