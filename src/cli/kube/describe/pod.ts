import type { WirePodObject } from '../../../api/raind/index.ts'
import { ageOf } from '../../format.ts'
import { table } from '../../table.ts'
import { containersText } from './container.ts'
import { labelFields, ownerField, placeFields } from './metadata.ts'
import { type Field, outline, timeText } from './outline.ts'
import { volumesOf } from './volumes.ts'

export function describePod(pod: WirePodObject, now: number): string {
  const { metadata, spec, status } = pod
  const conditions = (status.conditions ?? []).map(({ type, status: is }) => [type, is])
  return outline([
    ...placeFields(metadata),
    ['Start Time', timeText(status.startTime)],
    ...labelFields(metadata),
    ...statusFields(pod, now),
    ['IP', status.podIP ?? ''],
    ['IPs', status.podIPs && { below: outline(status.podIPs.map(({ ip }): Field => ['IP', ip])) }],
    ownerField(metadata),
    [
      'Init Containers',
      spec.initContainers && { below: containersText(spec.initContainers, status.initContainerStatuses ?? []) },
    ],
    ['Containers', { below: containersText(spec.containers, status.containerStatuses ?? []) }],
    ['Conditions', conditions.length === 0 ? undefined : { below: table(['Type', 'Status'], conditions) }],
    ['Volumes', volumesOf(spec.volumes)],
    ['QoS Class', status.qosClass],
  ])
}

function statusFields({ metadata, status }: WirePodObject, now: number): Field[] {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  const isLate = deletionTimestamp !== undefined && Date.parse(deletionTimestamp) <= now
  const goes: Field[] = [
    ['Status', `Terminating${isLate ? ` (lasts ${ageOf(deletionTimestamp, now)})` : ''}`],
    ['Termination Grace Period', `${deletionGracePeriodSeconds ?? 0}s`],
  ]
  return [
    ...(deletionTimestamp === undefined ? [['Status', status.phase] satisfies Field] : goes),
    ['Reason', status.reason],
    ['Message', status.message],
  ]
}
