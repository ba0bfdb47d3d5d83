/** What the kernel thread looks at to tell whether the network is as the records say: it changes nothing. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../lib/errors.ts'
import { addressFamily } from '../lib/ip-address.ts'
import { inNetns } from '../linux/netns.ts'
import { listElements, openNetfilterSocket } from '../linux/nftables.ts'
import * as route from '../linux/rtnetlink.ts'
import type { NetworkSpec } from '../model/network.ts'
import { elementText, hasOurRules, type ReplacePortsInput } from './firewall-ops.ts'
import { findLink, isPort, OWN_PORT, type SetUpInput } from './ops.ts'
import { expectedTable } from './port-table.ts'

/** What of a namespace and its links is not as it should be, in words. */
export function inspectSandbox({ netnsPath, links }: SetUpInput): string[] {
  using host = route.openRouteSocket()
  using inside = inNetns(netnsPath, route.openRouteSocket)
  const own = route.listLinks(inside)
  const addresses = route.listAddresses(inside, 4)
  return links.flatMap(({ name, bridge: bridgeName, addresses: [cidr = ''] }) => {
    const link = own.find((link) => link.name === name && link.kind === 'veth')
    if (link === undefined) return [`it has no link ${name}`]
    const address = cidr.split('/')[0]!
    if (!addresses.some((found) => found.linkIndex === link.index && found.address === address)) {
      return [`its link ${name} does not have the address ${address}`]
    }
    const hostEnd = findLink(host, link.peerIndex)
    const bridge = findLink(host, bridgeName)
    if (hostEnd === undefined || bridge === undefined || !isPort(hostEnd, bridge)) {
      return [`its link ${name} leads to no port of the bridge ${bridgeName} that is up`]
    }
    return []
  })
}

/** What of a bridge is not as it should be, in words. */
export function inspectBridge({ bridge, subnet, gateway, ipv6 }: NetworkSpec): string[] {
  using socket = route.openRouteSocket()
  const link = findLink(socket, bridge)
  if (link?.kind !== 'bridge') return [`there is no bridge ${bridge}`]
  const ranges = [{ subnet, gateway }, ...(ipv6 === undefined ? [] : [ipv6])]
  const missing = ranges.filter(
    ({ gateway }) =>
      !route
        .listAddresses(socket, addressFamily(gateway)!)
        .some(({ address, linkIndex }) => address === gateway && linkIndex === link.index),
  )
  return [
    ...(link.up ? [] : [`the bridge ${bridge} is down`]),
    ...missing.map(({ gateway }) => `the bridge ${bridge} does not have the address ${gateway}`),
  ]
}

/** The host's ends of veth pairs that are ports of these bridges, and whose other end is in no namespace there. */
export function strayPorts({ bridges, netnsDir }: { bridges: readonly string[]; netnsDir: string }): string[] {
  using host = route.openRouteSocket()
  const links = route.listLinks(host)
  const masters = new Set(links.filter(({ name }) => bridges.includes(name)).map(({ index }) => index))
  const ports = links.filter(({ name, masterIndex }) => OWN_PORT.test(name) && masters.has(masterIndex ?? -1))
  if (ports.length === 0) return []
  const known = new Set(readdirSync(netnsDir).flatMap((key) => peersOfNetns(join(netnsDir, key))))
  return ports.filter(({ index }) => !known.has(index)).map(({ name }) => name)
}

/** Of one that is gone: nothing. */
function peersOfNetns(path: string): number[] {
  try {
    using inside = inNetns(path, route.openRouteSocket)
    return route.listLinks(inside).flatMap(({ peerIndex }) => peerIndex ?? [])
  } catch (error) {
    if (['ENOENT', 'EINVAL'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}

/** What of the published ports of these bridges is not in force, or is and should not be, in words. */
export function inspectPorts({ tables }: Pick<ReplacePortsInput, 'tables'>): string[] {
  using socket = openNetfilterSocket()
  return tables.flatMap(({ bridge, family, ports }) => {
    const { table, maps } = expectedTable(bridge, family, ports)
    return [
      ...(hasOurRules(socket, bridge, family) ? [] : [`the table ${table.name} has other rules than it should`]),
      ...Object.entries(maps).flatMap(([map, wanted]) => {
        const found = new Set(listElements(socket, table, map).map(elementText))
        const missing = wanted.filter(({ element }) => !found.has(elementText(element)))
        const surplus = found.size + missing.length - wanted.length
        return [
          ...missing.map(({ port }) => `port ${port.hostPort}/${port.protocol} of ${port.hostIp} is not published`),
          ...(surplus > 0
            ? [`the map ${map} of the table ${table.name} publishes ${surplus} ports that nobody asked for`]
            : []),
        ]
      }),
    ]
  })
}
