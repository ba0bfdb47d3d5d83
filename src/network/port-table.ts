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
 * Traffic for 127/8 is rewritten only on its way out of the host: a neighbour cannot send it to us. The first nat
 * chain that rewrites a flow decides, so ours come just before those of iptables (priority -100): what is published is
 * published, whatever else the host rewrites.
 *
 * Nothing here touches the system.
 */
import type { NetlinkMessage } from '../linux/netlink.ts'
import * as nft from '../linux/nftables.ts'
import * as rule from '../linux/nftables-expressions.ts'
import type { PortMapping } from '../model/network.ts'

/** A published port and where it leads. */
export type PortRule = PortMapping & { readonly address: string; readonly bridge: string }

const PRIORITY = -101
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const
const ANY = { name: 'any', key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] } as const
const ADDR = { name: 'addr', key: ['ipv4_addr', ...ANY.key], data: ANY.data } as const
/** In the headers of IPv4, and of both TCP and UDP. */
const DESTINATION_ADDRESS = 16
const DESTINATION_PORT = 2

/** Makes the table, from whatever is there, with these ports. */
export function buildTable(bridge: string, ports: readonly PortRule[]): NetlinkMessage[] {
  const table = tableName(bridge)
  return [
    ...removeTable(bridge),
    nft.createTable(table),
    ...[ANY, ADDR].map((map, index) => nft.createMap(table, map, index + 1)),
    nft.createNatChain(table, { name: 'prerouting', hook: nft.NF_HOOK.PREROUTING, priority: PRIORITY }),
    nft.createNatChain(table, { name: 'output', hook: nft.NF_HOOK.OUTPUT, priority: PRIORITY }),
    ...[toOneAddress, toAnyAddress].flatMap((lookUp) => [
      nft.addRule(table, 'prerouting', [...notLoopback(), ...rule.destinationIsLocal(), ...lookUp()]),
      nft.addRule(table, 'output', [...rule.destinationIsLocal(), ...lookUp()]),
    ]),
    ...addPorts(ports),
  ]
}

/** Whether it is there or not. */
export function removeTable(bridge: string): NetlinkMessage[] {
  return [nft.ensureTable(tableName(bridge)), nft.deleteTable(tableName(bridge))]
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

function tableName(bridge: string): string {
  return `condenser-${bridge}`
}

function notLoopback(): rule.Expression[] {
  return [rule.loadHeader(rule.HEADER.NETWORK, DESTINATION_ADDRESS, 1, 0), rule.compare(0, '!=', Buffer.of(127))]
}

function toOneAddress(): rule.Expression[] {
  return [
    rule.loadHeader(rule.HEADER.NETWORK, DESTINATION_ADDRESS, 4, 0),
    rule.loadProtocol(1),
    rule.loadHeader(rule.HEADER.TRANSPORT, DESTINATION_PORT, 2, 2),
    rule.lookUp(ADDR.name, 0, 0),
    rule.rewriteDestination(0, 1),
  ]
}

function toAnyAddress(): rule.Expression[] {
  return [
    rule.loadProtocol(0),
    rule.loadHeader(rule.HEADER.TRANSPORT, DESTINATION_PORT, 2, 1),
    rule.lookUp(ANY.name, 0, 0),
    rule.rewriteDestination(0, 1),
  ]
}

function byMap(ports: readonly PortRule[]) {
  const groups = Map.groupBy(ports, ({ bridge, hostIp }) => `${tableName(bridge)} ${mapOf(hostIp)}`)
  return [...groups.values()].map((ports) => {
    const { bridge, hostIp } = ports[0]!
    return { table: tableName(bridge), map: mapOf(hostIp), ports }
  })
}

function mapOf(hostIp: string): string {
  return hostIp === '0.0.0.0' ? ANY.name : ADDR.name
}

function key({ hostIp, hostPort, protocol }: PortRule): Buffer {
  const port = [rule.protocolField(PROTOCOL_NUMBERS[protocol]), rule.portField(hostPort)]
  return Buffer.concat(mapOf(hostIp) === ANY.name ? port : [rule.addressField(hostIp), ...port])
}

function destination({ address, containerPort }: PortRule): Buffer {
  return Buffer.concat([rule.addressField(address), rule.portField(containerPort)])
}
