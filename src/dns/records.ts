import { addressBytes } from '../lib/ip-address.ts'
import { parseSubnet, type Subnet } from '../model/subnet.ts'
import { grouped } from './grouped.ts'
import { encodedName } from './message.ts'
import { reverseName } from './reverse-name.ts'
import type { DnsZone } from './zone.ts'

/** What can be looked up: all that the server process is told. */
export interface DnsRecords {
  /** Of containers. */
  readonly networks: readonly DnsNetwork[]
  /** Of a cluster: known on all networks. */
  readonly zone?: DnsZone
}

export interface DnsNetwork {
  readonly name: string
  readonly gateway: string
  /** CIDR text. Whoever asks from another address gets no answer. */
  readonly subnet: string
  readonly subnet6?: string
  readonly endpoints: readonly DnsEndpoint[]
}

/** One container on one network. */
export interface DnsEndpoint {
  /** The first that DNS can hold is what its addresses are called. */
  readonly names: readonly string[]
  readonly addresses: readonly string[]
  /** The names of the networks that this container sees: this one first. */
  readonly networks: readonly string[]
}

/** A network's records, ready for lookups. */
export interface NameTable {
  readonly network: string
  readonly gateway: string
  /** Of IPv4, and of IPv6 if it has that. */
  readonly subnets: readonly Subnet[]
  /** By name. */
  readonly addresses: ReadonlyMap<string, readonly Buffer[]>
  /** By `4.3.2.1.in-addr.arpa`: names on the wire. */
  readonly pointers: ReadonlyMap<string, readonly Buffer[]>
  /** By address. */
  readonly networksOf: ReadonlyMap<string, readonly string[]>
}

/** @throws if these are no records */
export function nameTables(records: DnsRecords): NameTable[] {
  return records.networks.map(({ name, gateway, subnet, subnet6, endpoints }) => ({
    network: name,
    gateway,
    subnets: [subnet, ...(subnet6 === undefined ? [] : [subnet6])].map((text) => parseSubnet(text)),
    addresses: grouped(endpoints, ({ names, addresses }) =>
      names.flatMap((name) => addresses.map((address) => [name.toLowerCase(), addressBytes(address)] as const)),
    ),
    pointers: grouped(endpoints, ({ names, addresses }) => {
      const pointer = names.flatMap(encodedName).slice(0, 1)
      return pointer.flatMap((name) => addresses.map((address) => [reverseName(address), name] as const))
    }),
    networksOf: new Map(
      endpoints.flatMap(({ addresses, networks }) => addresses.map((address) => [address, networks])),
    ),
  }))
}
