import type { Kinds } from '../model/kinds.ts'
import { KUBE_KINDS, type KubeKind, type KubeManifest } from '../model/kube/kinds.ts'
import type { PodFlags, ServiceFlags } from '../model/kube/stored.ts'
import { kubeTime } from '../model/kube/time.ts'
import type { ObjectMeta } from '../model/meta.ts'

/** A stored object as Kubernetes shows it. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: KubeKind
  readonly metadata: KubeMetadata
  readonly [field: string]: unknown
}

export interface KubeMetadata {
  readonly name: string
  /** Absent for what is in none. */
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: ObjectMeta['labels']
  readonly annotations?: ObjectMeta['annotations']
  readonly ownerReferences?: ObjectMeta['ownerReferences']
  readonly finalizers?: ObjectMeta['finalizers']
  readonly managedFields?: ObjectMeta['managedFields']
}

type Flags = { readonly [K in keyof (PodFlags & ServiceFlags)]-?: true }
/** Of ours, in a spec: no manifest has them. */
const FLAGS: Flags = { stopped: true, network: true, onHost: true }

/** The object with all that Kubernetes knows of it. */
export function kubeObject<K extends KubeKind>(kind: K, object: Kinds[K]): KubeObject {
  const { metadata, status } = object
  const hasStatus = Object.keys(status).length > 0
  return {
    apiVersion: KUBE_KINDS[kind].apiVersion,
    kind,
    metadata: kubeMetadata(kind, metadata),
    ...content(kind, object),
    ...(hasStatus && { status }),
  }
}

/** What a manifest can state of the object. */
export function manifestOf<K extends KubeKind>(kind: K, object: Kinds[K]): KubeManifest {
  const { name, namespace, labels, annotations, ownerReferences, finalizers } = object.metadata
  return {
    apiVersion: KUBE_KINDS[kind].apiVersion,
    kind,
    metadata: {
      name,
      ...(KUBE_KINDS[kind].namespaced && { namespace }),
      ...unlessEmpty({ labels, annotations, ownerReferences, finalizers }),
    },
    ...content(kind, object),
  } as KubeManifest
}

/** The part of a manifest that the store keeps as `spec`, with our flags of the object that it replaces. */
export function specOf<K extends KubeKind>(manifest: KubeManifest, before: Kinds[K] | undefined): Kinds[K]['spec'] {
  const { apiVersion: _, kind, metadata: __, ...rest } = manifest
  // What is shown of it is the same for all.
  if (kind === 'Namespace') return {} as Kinds[K]['spec']
  const spec = 'spec' in rest ? rest.spec : rest
  const flags = Object.entries(before?.spec ?? {}).filter(([key]) => key in FLAGS && hasFlags(kind))
  return { ...spec, ...Object.fromEntries(flags) } as Kinds[K]['spec']
}

function content<K extends KubeKind>(kind: K, { spec }: Kinds[K]): object {
  if (kind === 'ConfigMap' || kind === 'Secret') return spec
  if (kind === 'Namespace') return { spec: { finalizers: ['kubernetes'] } }
  const entries = Object.entries(spec)
  return { spec: hasFlags(kind) ? Object.fromEntries(entries.filter(([key]) => !(key in FLAGS))) : spec }
}

function hasFlags(kind: KubeKind): boolean {
  return kind === 'Pod' || kind === 'Service'
}

function kubeMetadata(kind: KubeKind, metadata: ObjectMeta): KubeMetadata {
  const { name, namespace, uid, resourceVersion, generation, createdAt, deletedAt, deletionGraceSeconds } = metadata
  const { labels, annotations, ownerReferences, finalizers, managedFields } = metadata
  return {
    name,
    ...(KUBE_KINDS[kind].namespaced && { namespace }),
    uid,
    resourceVersion: String(resourceVersion),
    ...(['Pod', 'ReplicaSet'].includes(kind) && { generation }),
    creationTimestamp: kubeTime(createdAt),
    ...(deletedAt !== undefined && { deletionTimestamp: kubeTime(deletedAt + (deletionGraceSeconds ?? 0) * 1000) }),
    ...(deletionGraceSeconds !== undefined && { deletionGracePeriodSeconds: deletionGraceSeconds }),
    ...unlessEmpty({ labels, annotations, ownerReferences, finalizers, managedFields }),
  }
}

function unlessEmpty<T extends Readonly<Record<string, object | undefined>>>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && Object.keys(value).length > 0),
  ) as Partial<T>
}
