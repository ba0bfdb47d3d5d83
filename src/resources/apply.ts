import { isDeepStrictEqual } from 'node:util'
import { StatusError } from '../lib/errors.ts'
import type { Fault } from '../lib/examine.ts'
import type { Kinds } from '../model/kinds.ts'
import { setDefaults } from '../model/kube/defaults.ts'
import { immutableChanges } from '../model/kube/immutable-changes.ts'
import { KUBE_KINDS, type KubeKind, type KubeManifest } from '../model/kube/kinds.ts'
import { applyObject } from '../model/kube/merge/index.ts'
import { readObject } from '../model/kube/read-object.ts'
import type { Service } from '../model/kube/stored.ts'
import { kubeTime } from '../model/kube/time.ts'
import { DEFAULT_NAMESPACE, type ObjectMeta } from '../model/meta.ts'
import type { WriteTx } from '../store/index.ts'
import type { ServiceAddresses } from './allocate-service.ts'
import { releaseFinalizers } from './finalizers.ts'
import { nameOf } from './find-object.ts'
import { type KubeObject, kubeObject, manifestOf, specOf } from './kube-object.ts'
import { assertNamespaceStays } from './namespaces.ts'
import { generateName } from './pods.ts'
import type { Precondition, RaindSpellings, ReadManifest } from './read-manifests.ts'
import type { ObjectName } from './types.ts'

export interface ApplyOptions {
  /** Who applies, for `managedFields`. */
  readonly manager: string
  /** Takes over fields that others manage, and replaces objects whose fields cannot be changed. */
  readonly force?: boolean
  /** They are taken, and a Service without a type answers on the host, too. */
  readonly raind?: RaindSpellings
  /** Of what names none; what names another is at fault. */
  readonly namespace?: string
}

export interface AppliedObject {
  readonly kind: KubeKind
  readonly action: 'created' | 'configured' | 'unchanged'
  readonly object: KubeObject
  readonly warnings: readonly string[]
  /** By force: what has to go before. */
  readonly replaces?: ObjectName
}

/** What is applied in one transaction. */
export interface Applying {
  readonly tx: WriteTx
  readonly options: ApplyOptions
  readonly addresses: () => ServiceAddresses
}

/**
 * Makes an object what the manifest states, by server-side apply.
 * @throws {StatusError} `conflict` (fields of others, an address), `failed_precondition` (what cannot be changed), `invalid_argument`
 */
export function applyManifest(applying: Applying, read: ReadManifest): AppliedObject {
  const { tx, options } = applying
  const { manifest, warnings } = read
  const { kind } = manifest
  const namespace = namespaceOf(manifest)
  const name = manifest.metadata.name ?? generateName(manifest.metadata.generateName!)
  const what = `${kind} "${name}"`
  const live = tx.get(kind, name, namespace)
  if (live !== undefined) assertUnchanged(what, live.metadata, read.precondition)
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
    complete: (draft) => complete(applying, draft as KubeManifest, manifest, live),
  })
  const wanted = merged as KubeManifest
  if (live?.metadata.deletedAt !== undefined) {
    const object = releaseFinalizers(tx, kind, live, wanted.metadata.finalizers ?? [])
    return { kind, action: 'configured', object: kubeObject(kind, object), warnings }
  }
  // What is new is what was read, with defaults, which make no faults; what is as it was has none.
  if (live !== undefined && !isDeepStrictEqual(before, wanted)) readObject(wanted, what)
  const spec = withHostFlag(manifest, specOf(wanted, live), options)
  if (live === undefined) {
    assertNamespaceStays(tx, what, namespace)
    const draft = { name, namespace, ...metadataOf(wanted), managedFields, spec, status: firstStatus(kind) }
    const made = tx.create(kind, draft as Parameters<typeof tx.create<typeof kind>>[1])
    if (kind === 'Service') applying.addresses().take(made as Service)
    return { kind, action: 'created', object: kubeObject(kind, made), warnings }
  }
  const changes = immutableChanges(before!, wanted)
  if (changes.length > 0) return replace(applying, read, live, changes)
  const { ownerReferences: _, finalizers: __, ...kept } = live.metadata
  const metadata = { ...kept, ...metadataOf(wanted), managedFields }
  const put = tx.put(kind, { ...live, metadata, spec } as Kinds[typeof kind])
  if (kind === 'Service') applying.addresses().change(live as Service, put as Service)
  const isChanged = !isDeepStrictEqual(before, manifestOf(kind, put)) || !isDeepStrictEqual(live.spec, put.spec)
  return { kind, action: isChanged ? 'configured' : 'unchanged', object: kubeObject(kind, put), warnings }
}

/** A manifest that was read from an object is of that one, as it was then (RFC 9110's If-Match, in Kubernetes' words). */
function assertUnchanged(what: string, { uid, resourceVersion }: ObjectMeta, wanted: Precondition): void {
  const hint = 'read it again, or take metadata.uid and metadata.resourceVersion out of the manifest'
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    throw new StatusError(
      'conflict',
      `Cannot apply ${what}: the manifest is of uid ${wanted.uid}, the object of ${uid}; ${hint}`,
    )
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== String(resourceVersion)) {
    throw new StatusError(
      'conflict',
      `Cannot apply ${what}: the object has been modified: the manifest is of resourceVersion ${wanted.resourceVersion}, the object of ${resourceVersion}; ${hint}`,
    )
  }
}

/** That of the manifest; of what is in none the empty text. */
export function namespaceOf({ kind, metadata }: KubeManifest): string {
  return KUBE_KINDS[kind].namespaced ? metadata.namespace || DEFAULT_NAMESPACE : ''
}

/** The new object is what the manifest says, and nothing of the old one. */
function replace<K extends KubeKind>(
  applying: Applying,
  read: ReadManifest,
  live: Kinds[K],
  changes: readonly Fault[],
): AppliedObject {
  const { tx, options, addresses } = applying
  const { kind } = read.manifest
  const what = `${kind} "${live.metadata.name}"`
  if (options.force !== true) throw unchangeable(what, changes, 'apply it by force, or delete it and apply it again')
  const { finalizers = [] } = live.metadata
  if (finalizers.length > 0) {
    throw unchangeable(
      what,
      changes,
      `and it would not go for a new one, as it has finalizers: ${finalizers.join(', ')}`,
    )
  }
  tx.delete(kind, live.metadata.uid)
  if (kind === 'Service') addresses().release(live as Service)
  return { ...applyManifest(applying, read), action: 'configured', replaces: nameOf(kind, live) }
}

function withPlace(manifest: KubeManifest, name: string, namespace: string): KubeManifest {
  const { generateName: _, namespace: __, ...metadata } = manifest.metadata
  return { ...manifest, metadata: { ...metadata, name, ...(namespace !== '' && { namespace }) } } as KubeManifest
}

function complete({ addresses }: Applying, draft: KubeManifest, stated: KubeManifest, live: unknown): KubeManifest {
  const manifest = setDefaults(stated.metadata.finalizers?.length === 0 ? withoutFinalizers(draft) : draft)
  if (manifest.kind !== 'Service') return manifest
  const { name = '' } = manifest.metadata
  return { ...manifest, spec: addresses().allocate(name, manifest.spec, live as Service | undefined) }
}

/** An empty list says that there are to be none, whoever has put them there. */
function withoutFinalizers(manifest: KubeManifest): KubeManifest {
  const { finalizers: _, ...metadata } = manifest.metadata
  return { ...manifest, metadata } as KubeManifest
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

function unchangeable(what: string, faults: readonly Fault[], hint: string): StatusError {
  const told = faults.slice(0, 5).map(({ path, problem }) => `"${path}" ${problem}`)
  return new StatusError('failed_precondition', `Cannot apply ${what}: ${told.join('; ')}; ${hint}`, {
    details: { faults },
  })
}
