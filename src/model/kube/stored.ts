/** The kinds of Kubernetes as the store holds them: its spec and status, and flags of ours that no manifest can set. */
import type { StoredObject } from '../meta.ts'
import type { ConfigMapManifest } from './config-map.ts'
import type { PodSpec } from './pod.ts'
import type { PodStatus } from './pod-status.ts'
import type { ReplicaSetSpec, ReplicaSetStatus } from './replica-set.ts'
import type { SecretManifest } from './secret.ts'
import type { ServiceSpec, ServiceStatus } from './service.ts'

export interface PodFlags {
  /** A user has stopped it: it keeps its name and its place, and nothing of it runs, until it is started again. */
  readonly stopped?: true
  /** The network of its sandbox, if it is not the default one. */
  readonly network?: string
}

export interface ServiceFlags {
  /** It also answers on the host's own addresses, at its ports, where these are free. */
  readonly onHost?: true
}

export type Pod = StoredObject<PodSpec & PodFlags, PodStatus>
export type ReplicaSet = StoredObject<ReplicaSetSpec, ReplicaSetStatus>
export type Service = StoredObject<ServiceSpec & ServiceFlags, ServiceStatus>
export type ConfigMap = StoredObject<Pick<ConfigMapManifest, 'data' | 'binaryData' | 'immutable'>, NoStatus>
/** `data` holds all of it, in base64: `stringData` only ever comes in. */
export type Secret = StoredObject<Pick<SecretManifest, 'data' | 'type' | 'immutable'>, NoStatus>
/** Its namespace is the empty text. */
export type Namespace = StoredObject<NoStatus, { readonly phase: 'Active' | 'Terminating' }>

type NoStatus = Readonly<Record<string, never>>
