import type { WirePodObject, WireServiceObject } from '../../../api/raind/index.ts'
import { labelPairs } from '../selector-text.ts'
import { labelFields, placeFields } from './metadata.ts'
import { type Field, NONE, outline } from './outline.ts'

type Port = NonNullable<WireServiceObject['spec']['ports']>[number]

/** How many endpoints of a port are told; of more their number. */
const MAX_ENDPOINTS = 3

/** `pods`: those that it selects. */
export function describeService({ metadata, spec, status }: WireServiceObject, pods: readonly WirePodObject[]): string {
  const { selector, type = 'ClusterIP', clusterIP, clusterIPs = [], ports = [], externalIPs = [] } = spec
  const conditions = (status?.conditions ?? []).map((condition): Field => {
    return [condition.type, `${condition.status} (${condition.reason}) ${condition.message}`]
  })
  return outline([
    ...placeFields(metadata),
    ...labelFields(metadata),
    ['Selector', labelPairs(selector).join(',') || NONE],
    ['Type', type],
    ['IP', clusterIP],
    ['IPs', clusterIPs.join(',') || NONE],
    ['External IPs', externalIPs.length === 0 ? undefined : externalIPs.join(',')],
    ...ports.flatMap((port) => portFields(port, pods)),
    ['Session Affinity', spec.sessionAffinity ?? 'None'],
    ['Conditions', conditions.length === 0 ? undefined : { below: outline(conditions) }],
  ])
}

function portFields(port: Port, pods: readonly WirePodObject[]): Field[] {
  const { name = '<unset>', port: number, protocol = 'TCP', targetPort, nodePort } = port
  return [
    ['Port', `${name}  ${number}/${protocol}`],
    ['TargetPort', `${targetPort || number}/${protocol}`],
    ['NodePort', nodePort ? `${name}  ${nodePort}/${protocol}` : undefined],
    ['Endpoints', endpointsText(port, pods)],
  ]
}

function endpointsText(port: Port, pods: readonly WirePodObject[]): string {
  const endpoints = pods.filter(isReady).flatMap((pod) => {
    const target = targetOf(port, pod)
    return target === undefined ? [] : `${pod.status.podIP}:${target}`
  })
  const rest = endpoints.length - MAX_ENDPOINTS
  return `${endpoints.slice(0, MAX_ENDPOINTS).join(',')}${rest > 0 ? ` + ${rest} more...` : ''}` || NONE
}

function isReady({ metadata, status }: WirePodObject): boolean {
  if (metadata.deletionTimestamp !== undefined || status.podIP === undefined) return false
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false
}

/** A name may be of another port in each pod. */
function targetOf({ port, targetPort, protocol: wanted = 'TCP' }: Port, { spec }: WirePodObject): number | undefined {
  if (typeof targetPort !== 'string') return targetPort || port
  return spec.containers
    .flatMap(({ ports = [] }) => ports)
    .find(({ name, protocol = 'TCP' }) => name === targetPort && protocol === wanted)?.containerPort
}
