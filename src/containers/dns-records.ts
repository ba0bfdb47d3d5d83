import type { DnsEndpoint, DnsRecords } from '../dns/index.ts'
import { type Container, isOfPod } from '../model/container.ts'
import { shortId } from '../model/names.ts'
import type { Sandbox } from '../model/network.ts'
import type { ReadTx } from '../store/index.ts'
import { dnsZone } from './dns-zone.ts'
import { ownsSandbox } from './sandbox.ts'

/** What can be looked up: the containers that are up, by name, alias and short id, on each of their networks. */
export function dnsRecords(tx: ReadTx): DnsRecords {
  const sandboxes = new Map(tx.list('Sandbox').map((sandbox) => [sandbox.metadata.uid, sandbox]))
  const endpoints = tx.list('Container').flatMap((container) => {
    const sandbox = sandboxes.get(container.spec.sandboxId)
    const isUp = container.status.setUpAt !== undefined && sandbox !== undefined
    return isUp && ownsSandbox(container, sandbox) ? endpointsOf(container, sandbox) : []
  })
  const byNetwork = Map.groupBy(endpoints, ({ networks }) => networks[0])
  return {
    zone: dnsZone(tx),
    networks: tx.list('Network').flatMap(({ metadata, spec }) => {
      const present = byNetwork.get(metadata.name)
      const { gateway, subnet, ipv6 } = spec
      const subnet6 = ipv6 && { subnet6: ipv6.subnet }
      return present === undefined ? [] : [{ name: metadata.name, gateway, subnet, ...subnet6, endpoints: present }]
    }),
  }
}

function endpointsOf(container: Container, { spec }: Sandbox): DnsEndpoint[] {
  const { name, uid } = container.metadata
  // A pod has its names in the zone.
  const own = isOfPod(container) ? [] : [name]
  return spec.attachments.map(({ network, aliases, addresses }) => ({
    names: [...own, ...aliases, shortId(uid)],
    addresses: addresses.map((address) => address.split('/')[0]!),
    networks: [network, ...spec.attachments.map((other) => other.network).filter((other) => other !== network)],
  }))
}
