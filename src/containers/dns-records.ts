import type { DnsEndpoint, DnsRecords } from '../dns/index.ts'
import { shortId } from '../model/names.ts'
import type { ReadTx } from '../store/index.ts'

/** What can be looked up: the containers that are up, by name, alias and short id, on each of their networks. */
export function dnsRecords(tx: ReadTx): DnsRecords {
  const sandboxes = new Map(tx.list('Sandbox').map((sandbox) => [sandbox.metadata.uid, sandbox]))
  const endpoints = new Map<string, DnsEndpoint[]>()
  for (const { metadata, spec, status } of tx.list('Container')) {
    const attachments = (status.setUpAt && sandboxes.get(spec.sandboxId)?.spec.attachments) || []
    const networks = attachments.map(({ network }) => network)
    for (const { network, aliases, addresses } of attachments) {
      const endpoint = {
        names: [metadata.name, ...aliases, shortId(metadata.uid)],
        addresses: addresses.map((address) => address.split('/')[0]!),
        networks: [network, ...networks.filter((other) => other !== network)],
      }
      endpoints.set(network, [...(endpoints.get(network) ?? []), endpoint])
    }
  }
  return {
    networks: tx.list('Network').flatMap(({ metadata, spec }) => {
      const present = endpoints.get(metadata.name)
      const { gateway, subnet } = spec
      return present === undefined ? [] : [{ name: metadata.name, gateway, subnet, endpoints: present }]
    }),
  }
}
