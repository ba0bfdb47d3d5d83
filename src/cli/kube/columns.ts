import type {
  WireNamespaceObject,
  WireObject,
  WirePodContainer,
  WireReplicaSetObject,
  WireServiceObject,
} from '../../api/raind/index.ts'
import { ageOf } from '../format.ts'
import type { Kind } from './kinds.ts'
import { podSummary } from './pod-summary.ts'
import { labelsText, selectorText } from './selector-text.ts'

export interface ColumnOptions {
  readonly wide?: boolean
  /** First the namespace. */
  readonly namespace?: boolean
  /** Last the labels. */
  readonly labels?: boolean
  /** Begins each name, as in `pod/web`. */
  readonly prefix?: string
}

const HEADERS: Readonly<Record<Kind, { readonly all: readonly string[]; readonly wide: readonly string[] }>> = {
  Pod: { all: ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'], wide: ['IP'] },
  ReplicaSet: { all: ['NAME', 'DESIRED', 'CURRENT', 'READY', 'AGE'], wide: ['CONTAINERS', 'IMAGES', 'SELECTOR'] },
  Service: { all: ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'], wide: ['SELECTOR'] },
  ConfigMap: { all: ['NAME', 'DATA', 'AGE'], wide: [] },
  Secret: { all: ['NAME', 'TYPE', 'DATA', 'AGE'], wide: [] },
  Namespace: { all: ['NAME', 'STATUS', 'AGE'], wide: [] },
}

export function headerOf(kind: Kind, { wide, namespace, labels }: ColumnOptions): string[] {
  return [
    ...(namespace ? ['NAMESPACE'] : []),
    ...HEADERS[kind].all,
    ...(wide ? HEADERS[kind].wide : []),
    ...(labels ? ['LABELS'] : []),
  ]
}

/** kubectl's columns of an object, under `headerOf` its kind (Kubernetes, pkg/printers/internalversion). `now` is ms. */
export function rowOf(
  object: WireObject,
  { wide, namespace, labels, prefix = '' }: ColumnOptions,
  now: number,
): string[] {
  const { metadata } = object
  return [
    ...(namespace ? [metadata.namespace ?? ''] : []),
    `${prefix}${metadata.name}`,
    ...cellsOf(object, now),
    ageOf(metadata.creationTimestamp, now),
    ...(wide ? wideCellsOf(object) : []),
    ...(labels ? [labelsText(metadata.labels)] : []),
  ]
}

function cellsOf(object: WireObject, now: number): string[] {
  switch (object.kind) {
    case 'Pod': {
      const { ready, status, restarts } = podSummary(object, now)
      return [ready, status, restarts]
    }
    case 'ReplicaSet':
      return replicaSetCells(object)
    case 'Service':
      return serviceCells(object)
    case 'ConfigMap':
      return [String(countOf(object.data) + countOf(object.binaryData))]
    case 'Secret':
      return [object.type ?? 'Opaque', String(countOf(object.data))]
    case 'Namespace':
      return namespaceCells(object)
  }
}

function wideCellsOf(object: WireObject): string[] {
  switch (object.kind) {
    case 'Pod':
      return [object.status.podIP ?? NONE]
    case 'ReplicaSet': {
      const { containers } = object.spec.template.spec
      const list = (text: (container: WirePodContainer) => string | undefined) => containers.map(text).join(',')
      return [list(({ name }) => name), list(({ image }) => image), selectorText(object.spec.selector)]
    }
    case 'Service':
      return [labelsText(object.spec.selector)]
    default:
      return []
  }
}

const NONE = '<none>'

function replicaSetCells({ spec, status }: WireReplicaSetObject): string[] {
  return [spec.replicas ?? 1, status.replicas, status.readyReplicas ?? 0].map(String)
}

function serviceCells({ spec, status }: WireServiceObject): string[] {
  const { type = 'ClusterIP', clusterIP = NONE, externalIPs = [], ports = [] } = spec
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
  const outside = [...(type === 'LoadBalancer' ? ingress : []), ...externalIPs]
  const none = type === 'LoadBalancer' ? '<pending>' : NONE
  return [
    type,
    clusterIP,
    outside.join(',') || none,
    ports
      .map(({ port, nodePort, protocol = 'TCP' }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`)
      .join(',') || NONE,
  ]
}

function namespaceCells({ status }: WireNamespaceObject): string[] {
  return [status.phase]
}

function countOf(entries: object = {}): number {
  return Object.keys(entries).length
}
