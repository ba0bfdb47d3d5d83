/** Objects as /v1/objects gives them: Kubernetes' own shape, by kind. */

import type { ConfigMapManifest } from '../../model/kube/config-map.ts'
import type { NamespaceStatus } from '../../model/kube/namespace.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import type { PodStatus } from '../../model/kube/pod-status.ts'
import type { ReplicaSetSpec, ReplicaSetStatus } from '../../model/kube/replica-set.ts'
import type { SecretManifest } from '../../model/kube/secret.ts'
import type { ServiceSpec, ServiceStatus } from '../../model/kube/service.ts'
import type { KubeObject } from '../../resources/index.ts'

export interface WirePodObject extends KubeObject {
  readonly kind: 'Pod'
  readonly spec: PodSpec
  readonly status: PodStatus
}

export interface WireReplicaSetObject extends KubeObject {
  readonly kind: 'ReplicaSet'
  readonly spec: ReplicaSetSpec
  readonly status: ReplicaSetStatus
}

export interface WireServiceObject extends KubeObject {
  readonly kind: 'Service'
  readonly spec: ServiceSpec
  readonly status?: ServiceStatus
}

export interface WireConfigMapObject extends KubeObject, Pick<ConfigMapManifest, 'data' | 'binaryData' | 'immutable'> {
  readonly kind: 'ConfigMap'
}

export interface WireSecretObject extends KubeObject, Pick<SecretManifest, 'data' | 'type' | 'immutable'> {
  readonly kind: 'Secret'
}

export interface WireNamespaceObject extends KubeObject {
  readonly kind: 'Namespace'
  readonly status: NamespaceStatus
}

export type WireObject =
  | WirePodObject
  | WireReplicaSetObject
  | WireServiceObject
  | WireConfigMapObject
  | WireSecretObject
  | WireNamespaceObject

/** A line of a watch. */
export interface WireObjectChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: WireObject
}

export type { PodContainer as WirePodContainer, PodContainerPort as WirePodPort } from '../../model/kube/container.ts'
export type { EnvVar as WireEnvVar } from '../../model/kube/env.ts'
export type {
  PodContainerState as WirePodContainerState,
  PodContainerStatus as WirePodContainerStatus,
} from '../../model/kube/pod-status.ts'
export type { Probe as WireProbe } from '../../model/kube/probe.ts'
export type { Volume as WireVolumeSource, VolumeMount as WireVolumeMount } from '../../model/kube/volume.ts'
