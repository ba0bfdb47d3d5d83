import { backends, endpointsOf, PodIndex } from '../model/kube/endpoints.ts'
import type { ServicePort } from '../model/kube/service.ts'
import type { Pod, Service } from '../model/kube/stored.ts'
import type { PortLease, Protocol } from '../model/network.ts'
import type { ServiceRule } from '../network/index.ts'

/** All addresses of the host, as port leases name them. */
export const ANY_ADDRESS = '0.0.0.0'

/** A port of the host that a Service wants to answer at. */
export interface HostPort {
  readonly port: number
  readonly protocol: Protocol
}

/** Of every Service what is to be in the kernel. Ports of the host only where it has them: `leases` are all there are. */
export function planServices(
  services: readonly Service[],
  pods: readonly Pod[],
  leases: readonly PortLease[],
): ServiceRule[] {
  const index = new PodIndex(pods)
  const claimed = new Set(
    leases.map(({ metadata, spec }) => `${spec.sandboxId} ${metadata.name.split('/')[0]}/${metadata.namespace}`),
  )
  return services.flatMap(({ metadata, spec, status: _ }) => {
    const { uid, namespace, name } = metadata
    const { clusterIP, ports = [] } = spec
    if (clusterIP === 'None' || metadata.deletedAt !== undefined) return []
    const pods = backends(namespace, spec, index)
    return ports.map((port): ServiceRule => {
      const protocol = protocolOf(port)
      const has = (number: number | undefined) => number && claimed.has(`${uid} ${number}/${protocol}`)
      return {
        uid,
        namespace,
        name,
        portName: port.name ?? '',
        protocol,
        ...(clusterIP && { clusterIp: clusterIP }),
        port: port.port,
        ...(has(port.nodePort) && { nodePort: port.nodePort! }),
        ...(spec.onHost && has(port.port) && { hostPort: port.port }),
        endpoints: endpointsOf(port, pods).map(({ address, port }) => ({ address, port })),
      }
    })
  })
}

/** The ports of the host that a Service asks for. */
export function hostPortsOf({ spec }: Service): HostPort[] {
  if (spec.clusterIP === 'None') return []
  return (spec.ports ?? []).flatMap((port) =>
    [...(port.nodePort ? [port.nodePort] : []), ...(spec.onHost ? [port.port] : [])].map((number) => ({
      port: number,
      protocol: protocolOf(port),
    })),
  )
}

function protocolOf({ protocol = 'TCP' }: ServicePort): Protocol {
  return protocol === 'UDP' ? 'udp' : 'tcp'
}
