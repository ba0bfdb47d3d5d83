import type { DnsService, DnsZone } from '../dns/index.ts'
import { CLUSTER_DOMAIN } from '../model/dns.ts'
import { backends, endpointsOf, PodIndex } from '../model/kube/endpoints.ts'
import { isPodLive } from '../model/kube/owner.ts'
import type { Service } from '../model/kube/stored.ts'
import type { ReadTx } from '../store/index.ts'

/** What the cluster's names stand for. */
export function dnsZone(tx: ReadTx): DnsZone {
  const pods = tx.list('Pod')
  const index = new PodIndex(pods)
  const addressed = pods.filter((pod) => isPodLive(pod) && pod.status.podIP !== undefined)
  const byNamespace = Map.groupBy(addressed, ({ metadata }) => metadata.namespace)
  return {
    domain: CLUSTER_DOMAIN,
    services: tx.list('Service').flatMap((service) => servicesOf(service, index)),
    pods: Object.fromEntries(
      [...byNamespace].map(([namespace, pods]) => [namespace, pods.flatMap(({ status }) => status.podIP ?? [])]),
    ),
  }
}

/** A headless Service once for each port, since its pods may have different ones of that name. */
function servicesOf({ metadata, spec }: Service, index: PodIndex): DnsService[] {
  const { name, namespace } = metadata
  const { clusterIP, ports = [] } = spec
  const named = ports.filter((port) => port.name !== undefined)
  if (clusterIP !== 'None') {
    const told = named.map(({ name, port, protocol = 'TCP' }) => ({ name: name!, port, protocol }))
    return [{ name, namespace, clusterIps: clusterIP === undefined ? [] : [clusterIP], ports: told }]
  }
  const pods = backends(namespace, spec, index)
  const endpoints = pods.map(({ metadata: { name: podName }, spec: { hostname, subdomain }, status }) => {
    const ownName = subdomain === name ? (hostname ?? podName) : undefined
    return { address: status.podIP!, ...(ownName !== undefined && { hostname: ownName }) }
  })
  const withPorts = named.flatMap((port) =>
    [...Map.groupBy(endpointsOf(port, pods), (endpoint) => endpoint.port)].map(([number, ofPort]) => ({
      name,
      namespace,
      ports: [{ name: port.name!, port: number, protocol: port.protocol ?? 'TCP' }],
      endpoints: endpoints.filter(({ address }) => ofPort.some((endpoint) => endpoint.address === address)),
    })),
  )
  return [{ name, namespace, ports: [], endpoints }, ...withPorts]
}
