import { isPodLive, isPodReady } from './owner.ts'
import type { ServicePort, ServiceSpec } from './service.ts'
import type { Pod } from './stored.ts'

/** Where one port of a Service leads. */
export interface Endpoint {
  readonly pod: Pod
  readonly address: string
  readonly port: number
}

/** Finds the pods of many selectors: by one of their labels first. */
export class PodIndex {
  readonly #byLabel = new Map<string, Pod[]>()

  constructor(pods: readonly Pod[]) {
    for (const pod of pods) {
      for (const [key, value] of Object.entries(pod.metadata.labels)) {
        this.#byLabel.getOrInsertComputed(labelOf(pod.metadata.namespace, key, value), () => []).push(pod)
      }
    }
  }

  /** Those with all of these labels; of none: none. */
  select(namespace: string, selector: Readonly<Record<string, string>> = {}): Pod[] {
    const [first, ...rest] = Object.entries(selector)
    if (first === undefined) return []
    return (this.#byLabel.get(labelOf(namespace, ...first)) ?? []).filter(({ metadata }) =>
      rest.every(([key, value]) => metadata.labels[key] === value),
    )
  }
}

/** The pods that a Service's connections may go to: they have an address, and are ready unless that is not asked for. */
export function backends(namespace: string, spec: ServiceSpec, index: PodIndex): Pod[] {
  return index.select(namespace, spec.selector).filter((pod) => {
    const isUp = pod.status.podIP !== undefined && isPodLive(pod)
    return isUp && (isPodReady(pod) || spec.publishNotReadyAddresses === true)
  })
}

/** In the order of their addresses. A pod without a port of that name is left out. */
export function endpointsOf(port: ServicePort, pods: readonly Pod[]): Endpoint[] {
  return pods
    .flatMap((pod) => {
      const target = targetPortOf(port, pod)
      return target === undefined ? [] : [{ pod, address: pod.status.podIP!, port: target }]
    })
    .toSorted((a, b) => (a.address < b.address ? -1 : 1))
}

/** Of a pod: a name stands for the port of one of its containers. */
function targetPortOf({ port, targetPort = port, protocol = 'TCP' }: ServicePort, { spec }: Pod): number | undefined {
  if (typeof targetPort === 'number') return targetPort || port
  if (/^\d+$/.test(targetPort)) return Number(targetPort)
  return spec.containers
    .flatMap(({ ports = [] }) => ports)
    .find((candidate) => candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol)?.containerPort
}

function labelOf(namespace: string, key: string, value: string): string {
  return `${namespace} ${key}=${value}`
}
