import { isDeepStrictEqual } from 'node:util'
import { StatusError } from '../lib/errors.ts'
import type { Kinds } from '../model/kinds.ts'
import { setDefaults } from '../model/kube/defaults.ts'
import { immutableChanges } from '../model/kube/immutable-changes.ts'
import { KUBE_KINDS, type KubeKind, type KubeManifest } from '../model/kube/kinds.ts'
import { applyObject } from '../model/kube/merge/index.ts'
import { readObject } from '../model/kube/read-object.ts'
import type { Service } from '../model/kube/stored.ts'
import { kubeTime } from '../model/kube/time.ts'
import { DEFAULT_NAMESPACE } from '../model/meta.ts'
import type { ReadTx, WriteTx } from '../store/index.ts'
import { allocateService } from './allocate-service.ts'
import type { ManifestDocument } from './documents.ts'
import { type KubeObject, kubeObject, manifestOf, specOf } from './kube-object.ts'
import { generateName } from './pods.ts'
import { fromRaindSpellings } from './raind-spellings.ts'

export interface ApplyOptions {
  /** Who applies, for `managedFields`. */
  readonly manager: string
  /** Takes over fields that others manage, and replaces pods whose fields cannot be changed. */
  readonly force?: boolean
  /** Spellings of the original of Raind are taken, and a Service without a type answers on the host, too. */
  readonly raind?: { readonly zeroReplicas: boolean }
}

/** A manifest that may be applied, and what is to be said about it. */
export interface ReadManifest {
  readonly manifest: KubeManifest
  readonly warnings: readonly string[]
}

export interface AppliedObject {
  readonly kind: KubeKind
  readonly action: 'created' | 'configured' | 'unchanged'
  readonly object: KubeObject
  readonly warnings: readonly string[]
}

/** Checks every document before the first is applied. @throws {StatusError} `invalid_argument` */
export function readManifests(documents: readonly ManifestDocument[], { raind }: ApplyOptions): ReadManifest[] {
  return documents.map(({ value, place }) => {
    const converted = raind === undefined ? { value, warnings: [] } : fromRaindSpellings(value, raind)
    const { object, warnings } = readObject(converted.value, place)
    return { manifest: object, warnings: [...converted.warnings, ...warnings] }
  })
}

/**
 * Makes an object what the manifest states, by server-side apply.
 * @throws {StatusError} `conflict` (fields of others, an address), `failed_precondition` (what cannot be changed), `invalid_argument`
 */
export function applyManifest(
  tx: WriteTx,
  { manifest, warnings }: ReadManifest,
  options: ApplyOptions,
  serviceSubnet: string,
): AppliedObject {
  const { kind } = manifest
  const namespace = namespaceOf(manifest)
  const name = manifest.metadata.name ?? generateName(manifest.metadata.generateName!)
  const what = `${kind} "${name}"`
  const live = tx.get(kind, name, namespace)
  if (live?.metadata.deletedAt !== undefined) {
    throw new StatusError('conflict', `Cannot apply ${what}: it is being deleted; apply it again when it is gone`)
  }
  const before = live && manifestOf(kind, live)
  const { merged, managedFields } = applyObject({
    what,
    schema: KUBE_KINDS[kind].schema,
    live: before,
    applied: withPlace(manifest, name, namespace),
    manager: options.manager,
    managedFields: (live?.metadata.managedFields ?? []) as Parameters<typeof applyObject>[0]['managedFields'],
    time: kubeTime(Date.now()),
    ...(options.force && { force: true }),
    complete: (draft) => complete(tx, draft as KubeManifest, live, serviceSubnet),
  })
  const wanted = merged as KubeManifest
  readObject(wanted, what)
  const spec = withHostFlag(manifest, specOf(wanted, live), options)
  const draft = { name, namespace, ...metadataOf(wanted), managedFields, spec }
  if (live === undefined) {
    const made = tx.create(kind, { ...draft, status: firstStatus(kind) } as Parameters<
      typeof tx.create<typeof kind>
    >[1])
    return { kind, action: 'created', object: kubeObject(kind, made), warnings }
  }
  const changes = immutableChanges(before!, wanted)
  if (changes.length > 0) throw unchangeable(what, changes)
  const put = tx.put(kind, {
    ...live,
    metadata: { ...live.metadata, ...metadataOf(wanted), managedFields },
    spec,
  } as Kinds[typeof kind])
  const isChanged = !isDeepStrictEqual(before, manifestOf(kind, put)) || !isDeepStrictEqual(live.spec, put.spec)
  return { kind, action: isChanged ? 'configured' : 'unchanged', object: kubeObject(kind, put), warnings }
}

/** That of the manifest; of what is in none the empty text. */
export function namespaceOf({ kind, metadata }: KubeManifest): string {
  return KUBE_KINDS[kind].namespaced ? metadata.namespace || DEFAULT_NAMESPACE : ''
}

function withPlace(manifest: KubeManifest, name: string, namespace: string): KubeManifest {
  const { generateName: _, namespace: __, ...metadata } = manifest.metadata
  return { ...manifest, metadata: { ...metadata, name, ...(namespace !== '' && { namespace }) } } as KubeManifest
}

function complete(tx: ReadTx, draft: KubeManifest, live: unknown, serviceSubnet: string): KubeManifest {
  const manifest = setDefaults(draft)
  if (manifest.kind !== 'Service') return manifest
  const { name = '' } = manifest.metadata
  return { ...manifest, spec: allocateService(tx, name, manifest.spec, live as Service | undefined, serviceSubnet) }
}

function withHostFlag<S extends object>({ kind, ...manifest }: KubeManifest, spec: S, { raind }: ApplyOptions): S {
  if (kind !== 'Service' || raind === undefined) return spec
  const { onHost: _, ...rest } = spec as S & { onHost?: true }
  const { type } = (manifest as Extract<KubeManifest, { kind: 'Service' }>).spec
  return (type === undefined ? { ...rest, onHost: true } : rest) as S
}

function metadataOf({ metadata }: KubeManifest) {
  const { labels = {}, annotations = {}, ownerReferences, finalizers } = metadata
  return {
    labels,
    annotations,
    ...(ownerReferences !== undefined && { ownerReferences }),
    ...(finalizers !== undefined && { finalizers }),
  }
}

function firstStatus(kind: KubeKind): object {
  switch (kind) {
    case 'Pod':
      return { phase: 'Pending' }
    case 'ReplicaSet':
      return { replicas: 0 }
    case 'Namespace':
      return { phase: 'Active' }
    default:
      return {}
  }
}

function unchangeable(what: string, changes: readonly string[]): StatusError {
  return new StatusError(
    'failed_precondition',
    `Cannot apply ${what}: ${changes.slice(0, 5).join('; ')}; delete it and apply it again`,
    { details: { changes } },
  )
}
