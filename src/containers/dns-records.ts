import type { DnsEndpoint, DnsRecords } from '../dns/index.ts'
import type { Container } from '../model/container.ts'
import { shortId } from '../model/names.ts'
import type { Sandbox } from '../model/network.ts'
import type { ReadTx } from '../store/index.ts'

/** What can be looked up: the containers that are up, by name, alias and short id, on each of their networks. */
export function dnsRecords(tx: ReadTx): DnsRecords {
  const sandboxes = new Map(tx.list('Sandbox').map((sandbox) => [sandbox.metadata.uid, sandbox]))
  const endpoints = tx.list('Container').flatMap((container) => {
    const sandbox = sandboxes.get(container.spec.sandboxId)
    return container.status.setUpAt === undefined || sandbox === undefined ? [] : endpointsOf(container, sandbox)
  })
  const byNetwork = Map.groupBy(endpoints, ({ networks }) => networks[0])
  return {
    networks: tx.list('Network').flatMap(({ metadata, spec }) => {
      const present = byNetwork.get(metadata.name)
      const { gateway, subnet, ipv6 } = spec
      const subnet6 = ipv6 && { subnet6: ipv6.subnet }
      return present === undefined ? [] : [{ name: metadata.name, gateway, subnet, ...subnet6, endpoints: present }]
    }),
  }
}

function endpointsOf({ metadata }: Container, { spec }: Sandbox): DnsEndpoint[] {
  return spec.attachments.map(({ network, aliases, addresses }) => ({
    names: [metadata.name, ...aliases, shortId(metadata.uid)],
    addresses: addresses.map((address) => address.split('/')[0]!),
    networks: [network, ...spec.attachments.map((other) => other.network).filter((other) => other !== network)],
  }))
}
