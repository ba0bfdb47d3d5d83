import { anything, dropped, integer, object, oneOf, optional, type Static } from '../../lib/schema.ts'
import { labelSelector } from './label-selector.ts'
import { type ManifestMeta, objectMeta } from './object-meta.ts'
import { podTemplate } from './pod.ts'
import type { ConditionStatus } from './pod-status.ts'
import type { Time } from './time.ts'

/** int32. */
export const MAX_REPLICAS = 2 ** 31 - 1

const count = integer({ minimum: 0, maximum: MAX_REPLICAS })

const replicaSetSpec = object({
  replicas: optional(count),
  selector: labelSelector,
  template: podTemplate,
  /** How long a pod is ready before it counts as available. */
  minReadySeconds: optional(count),
})

export const replicaSet = object({
  apiVersion: oneOf('apps/v1'),
  kind: oneOf('ReplicaSet'),
  metadata: objectMeta,
  spec: replicaSetSpec,
  status: optional(anything(), dropped('the daemon sets it')),
})

export type ReplicaSetSpec = Static<typeof replicaSetSpec>

export interface ReplicaSetManifest {
  readonly apiVersion: 'apps/v1'
  readonly kind: 'ReplicaSet'
  readonly metadata: ManifestMeta
  readonly spec: ReplicaSetSpec
}

export interface ReplicaSetStatus {
  /** Pods that there are, ready or not. */
  readonly replicas: number
  /** Of these: with exactly the labels of the template. */
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  /** Ready for `minReadySeconds` at least. */
  readonly availableReplicas?: number
  readonly terminatingReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: readonly ReplicaSetCondition[]
}

export interface ReplicaSetCondition {
  readonly type: 'ReplicaFailure'
  readonly status: ConditionStatus
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: Time
}
