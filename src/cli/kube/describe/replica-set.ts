import type { WirePodObject, WireReplicaSetObject } from '../../../api/raind/index.ts'
import { selectorText } from '../selector-text.ts'
import { containersText } from './container.ts'
import { labelFields, ownerField, placeFields } from './metadata.ts'
import { outline } from './outline.ts'
import { volumesOf } from './volumes.ts'

/** `pods`: of its namespace. */
export function describeReplicaSet(
  { metadata, spec, status }: WireReplicaSetObject,
  pods: readonly WirePodObject[],
): string {
  const { template } = spec
  const own = pods.filter(({ metadata: { ownerReferences = [] } }) =>
    ownerReferences.some(({ uid, controller }) => controller && uid === metadata.uid),
  )
  const count = (phase: string) => own.filter((pod) => pod.status.phase === phase).length
  const [running, waiting, succeeded, failed] = ['Running', 'Pending', 'Succeeded', 'Failed'].map(count)
  const { initContainers, containers, volumes } = template.spec
  const pod = outline([
    ...labelFields(template.metadata ?? {}),
    ['Init Containers', initContainers && { below: containersText(initContainers, undefined) }],
    ['Containers', { below: containersText(containers, undefined) }],
    ['Volumes', volumesOf(volumes)],
  ])
  return outline([
    ...placeFields(metadata),
    ['Selector', selectorText(spec.selector)],
    ...labelFields(metadata),
    ownerField(metadata),
    ['Replicas', `${status.replicas} current / ${spec.replicas ?? 1} desired`],
    ['Pods Status', `${running} Running / ${waiting} Waiting / ${succeeded} Succeeded / ${failed} Failed`],
    ['Pod Template', { below: pod }],
  ])
}
