import { canonicalAddress } from '../../lib/ip-address.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import { isSidecar } from '../../model/kube/pod-run.ts'
import type { PortMapping } from '../../model/network.ts'

/** The ports of its containers that are to be reached at the host's. One in the host's network has them anyway. */
export function hostPorts({ containers, initContainers = [], hostNetwork = false }: PodSpec): PortMapping[] {
  if (hostNetwork) return []
  return [...containers, ...initContainers.filter(isSidecar)]
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ hostPort = 0, hostIP = '', containerPort, protocol = 'TCP' }): PortMapping[] => {
      if (hostPort === 0 || protocol === 'SCTP') return []
      const hostIp = hostIP === '' ? '' : canonicalAddress(hostIP)
      return [{ hostIp, hostPort, containerPort, protocol: protocol === 'UDP' ? 'udp' : 'tcp' }]
    })
}
