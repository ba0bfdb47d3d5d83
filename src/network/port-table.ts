/**
 * The published ports of a bridge as a table of nf_tables, named after the bridge, so that daemons with different
 * bridges live side by side. `nft list table ip condenser-raind0` shows it as
 *
 *   map any  { type inet_proto . inet_service : ipv4_addr . inet_service }               published on all addresses
 *   map addr { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service }   published on one of them
 *   chain prerouting { type nat hook prerouting priority dstnat - 1
 *     ip daddr != 127.0.0.0/8 fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @addr
 *     ip daddr != 127.0.0.0/8 fib daddr type local dnat ip to meta l4proto . th dport map @any }
 *   chain output { type nat hook output priority -101
 *     (the same for 127.0.0.0/8 too) }
 *
 * A network with IPv6 has a second one, `ip6 condenser-raind0`, that differs in the addresses, and leaves ::1 alone on
 * the way out too: what comes back to ::1 from a bridge finds no route.
 *
 * Traffic for 127/8 is rewritten only on its way out of the host: a neighbour cannot send it to us. The first nat
 * chain that rewrites a flow decides, so ours come just before those of iptables (priority -100): what is published is
 * published, whatever else the host rewrites.
 *
 * Nothing here touches the system.
 */
import { addressFamily, type Family } from '../lib/ip-address.ts'
import type { NetlinkMessage } from '../linux/netlink.ts'
import * as nft from '../linux/nftables.ts'
import * as rule from '../linux/nftables-expressions.ts'
import type { PortMapping } from '../model/network.ts'

/** A published port and where it leads: both addresses are of one family. */
export type PortRule = PortMapping & { readonly address: string; readonly bridge: string }

const PRIORITY = -101
/** A comment of each rule: count it up with every change of the rules, so that those of an earlier daemon are replaced. */
const RULES_VERSION = 'condenser 1'
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const
/** By family: what means all addresses, which none does from outside, and where the destination is in the header. */
const FAMILIES = {
  4: { any: '0.0.0.0', loopback: Buffer.of(127), type: 'ipv4_addr', destination: 16, bytes: 4 },
  6: { any: '::', loopback: rule.addressField('::1'), type: 'ipv6_addr', destination: 24, bytes: 16 },
} as const
const ANY = 'any'
const ADDR = 'addr'
/** In the headers of both TCP and UDP. */
const DESTINATION_PORT = 2
/** A register holds 4 bytes. */
const REGISTER_BYTES = 4

/** Makes the table, from whatever is there, with these ports. */
export function buildTable(bridge: string, family: Family, ports: readonly PortRule[]): NetlinkMessage[] {
  const table = tableOf(bridge, family)
  const { type } = FAMILIES[family]
  const [port, data] = [
    ['inet_proto', 'inet_service'],
    [type, 'inet_service'],
  ] as const
  return [
    ...removeTable(bridge, family),
    nft.createTable(table),
    nft.createMap(table, { name: ANY, key: port, data }, 1),
    nft.createMap(table, { name: ADDR, key: [type, ...port], data }, 2),
    nft.createNatChain(table, { name: 'prerouting', hook: nft.NF_HOOK.PREROUTING, priority: PRIORITY }),
    nft.createNatChain(table, { name: 'output', hook: nft.NF_HOOK.OUTPUT, priority: PRIORITY }),
    ...[toOneAddress, toAnyAddress].flatMap((lookUp) => [
      nft.addRule(
        table,
        'prerouting',
        [...notLoopback(family), ...rule.destinationIsLocal(), ...lookUp(family)],
        RULES_VERSION,
      ),
      nft.addRule(
        table,
        'output',
        [...(family === 6 ? notLoopback(family) : []), ...rule.destinationIsLocal(), ...lookUp(family)],
        RULES_VERSION,
      ),
    ]),
    ...addPorts(ports.filter((port) => familyOf(port) === family)),
  ]
}

/** What the kernel has of a table that is as it should be: rules by chain, elements by map. */
export function expectedTable(bridge: string, family: Family, ports: readonly PortRule[]) {
  const elements = (map: string) =>
    ports
      .filter((port) => familyOf(port) === family && mapOf(port) === map)
      .map((port) => ({ port, element: { key: key(port), data: destination(port) } satisfies nft.MapElement }))
  return {
    table: tableOf(bridge, family),
    rules: { prerouting: 2, output: 2 },
    comment: nft.commentBytes(RULES_VERSION),
    maps: { [ANY]: elements(ANY), [ADDR]: elements(ADDR) },
  }
}

/** Whether it is there or not. */
export function removeTable(bridge: string, family: Family): NetlinkMessage[] {
  const table = tableOf(bridge, family)
  return [nft.ensureTable(table), nft.deleteTable(table)]
}

/** None of them may be there. */
export function addPorts(ports: readonly PortRule[]): NetlinkMessage[] {
  return byMap(ports).flatMap(({ table, map, ports }) =>
    nft.addElements(
      table,
      map,
      ports.map((port) => ({ key: key(port), data: destination(port) })),
    ),
  )
}

/** All of them must be there. */
export function removePorts(ports: readonly PortRule[]): NetlinkMessage[] {
  return byMap(ports).flatMap(({ table, map, ports }) => nft.deleteElements(table, map, ports.map(key)))
}

/** Of what it is published on. */
export function familyOf({ hostIp }: PortMapping): Family {
  return addressFamily(hostIp) ?? 4
}

/** Of its family. */
export function isOnAllAddresses(port: PortMapping): boolean {
  return port.hostIp === FAMILIES[familyOf(port)].any
}

function tableOf(bridge: string, family: Family): nft.Table {
  return { family, name: `condenser-${bridge}` }
}

function notLoopback(family: Family): rule.Expression[] {
  const { loopback, destination } = FAMILIES[family]
  return [rule.loadHeader(rule.HEADER.NETWORK, destination, loopback.length, 0), rule.compare(0, '!=', loopback)]
}

function toOneAddress(family: Family): rule.Expression[] {
  const { destination, bytes } = FAMILIES[family]
  const registers = bytes / REGISTER_BYTES
  return [
    rule.loadHeader(rule.HEADER.NETWORK, destination, bytes, 0),
    rule.loadProtocol(registers),
    rule.loadHeader(rule.HEADER.TRANSPORT, DESTINATION_PORT, 2, registers + 1),
    ...toWhatIsFound(family, ADDR),
  ]
}

function toAnyAddress(family: Family): rule.Expression[] {
  return [
    rule.loadProtocol(0),
    rule.loadHeader(rule.HEADER.TRANSPORT, DESTINATION_PORT, 2, 1),
    ...toWhatIsFound(family, ANY),
  ]
}

function toWhatIsFound(family: Family, map: string): rule.Expression[] {
  return [rule.lookUp(map, 0, 0), rule.rewriteDestination(family, 0, FAMILIES[family].bytes / REGISTER_BYTES)]
}

function byMap(ports: readonly PortRule[]) {
  const groups = Map.groupBy(ports, (port) => `${port.bridge} ${familyOf(port)} ${mapOf(port)}`)
  return [...groups.values()].map((ports) => {
    const first = ports[0]!
    return { table: tableOf(first.bridge, familyOf(first)), map: mapOf(first), ports }
  })
}

function mapOf(port: PortMapping): string {
  return isOnAllAddresses(port) ? ANY : ADDR
}

function key(mapping: PortRule): Buffer {
  const port = [rule.protocolField(PROTOCOL_NUMBERS[mapping.protocol]), rule.portField(mapping.hostPort)]
  return Buffer.concat(mapOf(mapping) === ANY ? port : [rule.addressField(mapping.hostIp), ...port])
}

function destination({ address, containerPort }: PortRule): Buffer {
  return Buffer.concat([rule.addressField(address), rule.portField(containerPort)])
}
