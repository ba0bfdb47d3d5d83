import { selects } from '../label-selector.ts'
import type { ReplicaSetSpec } from '../replica-set.ts'
import { type Faults, faultIf } from './fault-if.ts'
import { labelAndAnnotationFaults, selectorFaults } from './metadata.ts'
import { podSpecFaults } from './pod.ts'

export function* replicaSetFaults(path: string, { selector, template }: ReplicaSetSpec): Faults {
  const { matchLabels = {}, matchExpressions = [] } = selector
  const { metadata = {}, spec } = template
  const isEmpty = Object.keys(matchLabels).length + matchExpressions.length === 0
  yield* faultIf(`${path}.selector`, isEmpty && 'must not be empty')
  yield* selectorFaults(`${path}.selector`, selector)
  const misses = !selects(selector, metadata.labels)
  yield* faultIf(`${path}.template.metadata.labels`, misses && `must be selected by "${path}.selector"`)
  yield* labelAndAnnotationFaults(`${path}.template.metadata`, metadata)
  yield* podSpecFaults(`${path}.template.spec`, spec)
  const { restartPolicy = 'Always', activeDeadlineSeconds } = spec
  yield* faultIf(`${path}.template.spec.restartPolicy`, restartPolicy !== 'Always' && 'must be Always in a ReplicaSet')
  yield* faultIf(
    `${path}.template.spec.activeDeadlineSeconds`,
    activeDeadlineSeconds !== undefined && 'must be absent in a ReplicaSet',
  )
}
