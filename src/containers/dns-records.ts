import type { DnsEndpoint, DnsRecords } from '../dns/index.ts'
import { type Container, isOfPod } from '../model/container.ts'
import { HOST_GATEWAY } from '../model/dns.ts'
import { shortId } from '../model/names.ts'
import type { Sandbox } from '../model/network.ts'
import type { ReadTx } from '../store/index.ts'
import { dnsZone } from './dns-zone.ts'
import { ownsSandbox } from './sandbox.ts'

/**
 * What can be looked up: the containers that are up, by name, alias and short id, on each of their networks. Networks that
 * nobody is on have no server, but that at which those in the host's network ask.
 */
export function dnsRecords(tx: ReadTx, defaultNetwork: string): DnsRecords {
  const sandboxes = new Map(tx.list('Sandbox').map((sandbox) => [sandbox.metadata.uid, sandbox]))
  const up = tx.list('Container').flatMap((container) => {
    const sandbox = sandboxes.get(container.spec.sandboxId)
    return container.status.setUpAt !== undefined && sandbox !== undefined ? [{ container, sandbox }] : []
  })
  const endpoints = up.flatMap(({ container, sandbox }) =>
    ownsSandbox(container, sandbox) ? endpointsOf(container, sandbox) : [],
  )
  const isAsked = up.some(({ container, sandbox }) => asksFromHost(container, sandbox))
  const byNetwork = Map.groupBy(endpoints, ({ networks }) => networks[0])
  return {
    zone: dnsZone(tx),
    networks: tx.list('Network').flatMap(({ metadata, spec }) => {
      const present = byNetwork.get(metadata.name) ?? (isAsked && metadata.name === defaultNetwork ? [] : undefined)
      const { gateway, subnet, ipv6 } = spec
      const subnet6 = ipv6 && { subnet6: ipv6.subnet }
      return present === undefined ? [] : [{ name: metadata.name, gateway, subnet, ...subnet6, endpoints: present }]
    }),
  }
}

/** Whether a container in the host's network asks at the gateway of the default network, as none of its own has one. */
export function asksFromHost({ spec }: Container, sandbox: Sandbox): boolean {
  return sandbox.spec.networkMode === 'host' && spec.dns?.servers.includes(HOST_GATEWAY) === true
}

/** The names of a service of a bottle lead to those of its containers that are well. */
function sharesNames({ metadata, status }: Container): boolean {
  return metadata.owner?.kind !== 'Bottle' || status.health === undefined || status.health.status === 'healthy'
}

function endpointsOf(container: Container, { spec }: Sandbox): DnsEndpoint[] {
  const { name, uid } = container.metadata
  // A pod has its names in the zone.
  const own = isOfPod(container) ? [] : [name]
  return spec.attachments.map(({ network, aliases, addresses }) => ({
    names: [...own, ...(sharesNames(container) ? aliases : []), shortId(uid)],
    addresses: addresses.map((address) => address.split('/')[0]!),
    networks: [network, ...spec.attachments.map((other) => other.network).filter((other) => other !== network)],
  }))
}
