import type { NetworkFilter } from '../../containers/index.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import { parseLabelTerm } from '../../model/label-term.ts'
import type { AddressRange, Network } from '../../model/network.ts'
import type { NetworkListQuery, WireNetwork } from './network-types.ts'

export function wireNetwork({ metadata, spec }: Network, containers: number): WireNetwork {
  const gatewayOf = ({ subnet, gateway }: AddressRange) => `${gateway}/${subnet.split('/')[1]}`
  return {
    Interface: spec.bridge,
    Address: gatewayOf(spec),
    NumContainers: containers,
    Name: metadata.name,
    Subnet: spec.subnet,
    Labels: metadata.labels,
    ...(spec.ipv6 !== undefined && { Address6: gatewayOf(spec.ipv6), Subnet6: spec.ipv6.subnet }),
  }
}

export function toNetworkFilter({ label, name, dangling }: NetworkListQuery): NetworkFilter {
  return withoutUndefined({ labels: label?.map(parseLabelTerm), names: name, unused: dangling })
}
