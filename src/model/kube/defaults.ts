import { DEFAULT_NAMESPACE } from '../meta.ts'
import { adjust, each } from './adjust.ts'
import { KUBE_KINDS, type KubeKind, type KubeManifest, type ManifestOf } from './kinds.ts'
import type { NamespaceManifest } from './namespace.ts'
import { withPodDefaults, withSpecDefaults } from './pod-defaults.ts'
import type { ReplicaSetManifest } from './replica-set.ts'
import type { SecretManifest } from './secret.ts'
import type { ServiceManifest, ServicePort } from './service.ts'

const DEFAULTS: { readonly [K in KubeKind]: (manifest: ManifestOf<K>) => ManifestOf<K> } = {
  Pod: withPodDefaults,
  ReplicaSet: withReplicaSetDefaults,
  Service: withServiceDefaults,
  ConfigMap: (configMap) => configMap,
  Secret: withSecretDefaults,
  Namespace: withNamespaceDefaults,
}

/**
 * A manifest completed as Kubernetes does it (pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go); fields that
 * are not honoured get no default. What has its defaults stays as it is.
 */
export function setDefaults<M extends KubeManifest>(manifest: M): M {
  const complete = DEFAULTS[manifest.kind] as (manifest: KubeManifest) => KubeManifest
  return inNamespace(complete(manifest)) as M
}

function inNamespace(manifest: KubeManifest): KubeManifest {
  if (!KUBE_KINDS[manifest.kind].namespaced) return manifest
  const { metadata } = manifest
  return { ...manifest, metadata: { ...metadata, namespace: metadata.namespace ?? DEFAULT_NAMESPACE } }
}

function withReplicaSetDefaults({ metadata, spec, ...rest }: ReplicaSetManifest): ReplicaSetManifest {
  const labels = spec.template.metadata?.labels ?? {}
  const takesLabels = Object.keys(metadata.labels ?? {}).length === 0 && Object.keys(labels).length > 0
  return {
    ...rest,
    metadata: takesLabels ? { ...metadata, labels } : metadata,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      template: { ...spec.template, spec: withSpecDefaults(spec.template.spec) },
    },
  }
}

function withServiceDefaults({ spec, ...rest }: ServiceManifest): ServiceManifest {
  const { type = 'ClusterIP', sessionAffinity = 'None' } = spec
  return { ...rest, spec: { ...adjust(spec, { ports: each(withServicePortDefaults) }), type, sessionAffinity } }
}

function withServicePortDefaults(port: ServicePort): ServicePort {
  // 0 and "" are what Go has for a target that is not stated.
  return { ...port, protocol: port.protocol ?? 'TCP', targetPort: port.targetPort || port.port }
}

function withSecretDefaults({ stringData, ...secret }: SecretManifest): SecretManifest {
  const encoded = Object.entries(stringData ?? {}).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  return {
    ...secret,
    ...(encoded.length > 0 && { data: { ...secret.data, ...Object.fromEntries(encoded) } }),
    type: secret.type ?? 'Opaque',
  }
}

function withNamespaceDefaults({ metadata, ...rest }: NamespaceManifest): NamespaceManifest {
  if (metadata.name === undefined) return { ...rest, metadata }
  return {
    ...rest,
    metadata: { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name } },
  }
}
