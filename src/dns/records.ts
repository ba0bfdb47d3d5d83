import { addressBytes } from '../lib/ip-address.ts'
import { parseSubnet, type Subnet } from '../model/subnet.ts'
import { encodeName } from './message.ts'
import { reverseName } from './reverse-name.ts'

/** What containers can be looked up by: all that the server process is told. */
export interface DnsRecords {
  readonly networks: readonly DnsNetwork[]
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
      const pointer = names.map(encodedName).find((name) => name !== undefined)
      return pointer === undefined ? [] : addresses.map((address) => [reverseName(address), pointer] as const)
    }),
    networksOf: new Map(
      endpoints.flatMap(({ addresses, networks }) => addresses.map((address) => [address, networks])),
    ),
  }))
}

/** Names of containers may be longer than names of DNS. */
function encodedName(name: string): Buffer | undefined {
  try {
    return encodeName(name)
  } catch {
    return undefined
  }
}

function grouped<T>(
  items: readonly T[],
  entriesOf: (item: T) => readonly (readonly [string, Buffer])[],
): Map<string, Buffer[]> {
  const groups = new Map<string, Buffer[]>()
  for (const [key, value] of items.flatMap(entriesOf)) {
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
