import type { Schema } from '../../lib/schema.ts'
import { type ConfigMapManifest, configMap } from './config-map.ts'
import { type NamespaceManifest, namespace } from './namespace.ts'
import { type PodManifest, pod } from './pod.ts'
import { type ReplicaSetManifest, replicaSet } from './replica-set.ts'
import { type SecretManifest, secret } from './secret.ts'
import { type ServiceManifest, service } from './service.ts'

/**
 * The kinds of Kubernetes, in its shape and its words (the API of Kubernetes 1.34). One schema per kind gives the check
 * of a manifest, its TypeScript type, how its lists are merged, and docs/KUBERNETES.md.
 *
 * A manifest's way: `readObject` (read-object.ts: known fields and right types by the schema, then what Kubernetes'
 * validation refuses, validate/), `setDefaults` (defaults.ts, pod-defaults.ts), and before it replaces another
 * `immutableChanges` (immutable-changes.ts).
 *
 * | file | what is in it |
 * |---|---|
 * | object-meta.ts, label-selector.ts | what all kinds share |
 * | pod.ts, container.ts, env.ts, probe.ts, volume.ts, security-context.ts, affinity.ts | a pod's spec |
 * | pod-status.ts | a pod's status |
 * | replica-set.ts, service.ts, config-map.ts, secret.ts, namespace.ts | the other kinds, spec and status |
 * | quantity.ts, names.ts | texts with a syntax of their own |
 *
 * A container of a pod's spec is a `PodContainer`; `ContainerSpec` (../container.ts) is the engine's.
 */
export type KubeManifest =
  | PodManifest
  | ReplicaSetManifest
  | ServiceManifest
  | ConfigMapManifest
  | SecretManifest
  | NamespaceManifest

export type KubeKind = KubeManifest['kind']
export type ManifestOf<K extends KubeKind> = Extract<KubeManifest, { readonly kind: K }>

interface KindFacts<K extends KubeKind> {
  readonly apiVersion: ManifestOf<K>['apiVersion']
  readonly namespaced: boolean
  readonly schema: Schema<ManifestOf<K>>
}

export const KUBE_KINDS: { readonly [K in KubeKind]: KindFacts<K> } = {
  Pod: { apiVersion: 'v1', namespaced: true, schema: pod },
  ReplicaSet: { apiVersion: 'apps/v1', namespaced: true, schema: replicaSet },
  Service: { apiVersion: 'v1', namespaced: true, schema: service },
  ConfigMap: { apiVersion: 'v1', namespaced: true, schema: configMap },
  Secret: { apiVersion: 'v1', namespaced: true, schema: secret },
  Namespace: { apiVersion: 'v1', namespaced: false, schema: namespace },
}
