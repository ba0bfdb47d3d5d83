import { array, atomic, integer, object, oneOf, optional, string } from '../../lib/schema.ts'
import { labelSelector } from './label-selector.ts'

const nodeRequirement = object({
  key: string(),
  operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'),
  values: optional(array(string())),
})

const nodeSelectorTerm = atomic(
  object({
    matchExpressions: optional(array(nodeRequirement)),
    matchFields: optional(array(nodeRequirement)),
  }),
)

const nodeAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: optional(
    atomic(object({ nodeSelectorTerms: array(nodeSelectorTerm) })),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: optional(
    array(object({ weight: integer(), preference: nodeSelectorTerm })),
  ),
})

const podAffinityTerm = object({
  topologyKey: string(),
  labelSelector: optional(labelSelector),
  namespaces: optional(array(string())),
  namespaceSelector: optional(labelSelector),
  matchLabelKeys: optional(array(string())),
  mismatchLabelKeys: optional(array(string())),
})

const podAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: optional(array(podAffinityTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: optional(array(object({ weight: integer(), podAffinityTerm }))),
})

export const affinity = object({
  nodeAffinity: optional(nodeAffinity),
  podAffinity: optional(podAffinity),
  podAntiAffinity: optional(podAffinity),
})

export const toleration = object({
  key: optional(string()),
  operator: optional(oneOf('Exists', 'Equal')),
  value: optional(string()),
  effect: optional(oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute')),
  tolerationSeconds: optional(integer()),
})

export const topologySpreadConstraint = object({
  maxSkew: integer(),
  topologyKey: string(),
  whenUnsatisfiable: oneOf('DoNotSchedule', 'ScheduleAnyway'),
  labelSelector: optional(labelSelector),
  minDomains: optional(integer()),
  nodeAffinityPolicy: optional(oneOf('Honor', 'Ignore')),
  nodeTaintsPolicy: optional(oneOf('Honor', 'Ignore')),
  matchLabelKeys: optional(array(string())),
})
