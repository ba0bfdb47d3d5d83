import { StatusError } from '../lib/errors.ts'
import { addressBytes, addressFamily, addressText, type Family } from '../lib/ip-address.ts'

/** A network of addresses, which are numbers here. */
export interface Subnet {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
  readonly prefix: number
}

const FAMILIES = {
  // At least two hosts beside the gateway.
  4: { bits: 32, name: 'IPv4', example: '10.166.0.0/20', prefixes: [8, 29] },
  6: { bits: 128, name: 'IPv6', example: 'fd00:1:2:3::/64', prefixes: [16, 125] },
} as const

/** `address/prefix`, whatever address of the network. @throws {StatusError} `invalid_argument` */
export function parseSubnet(text: string, family: Family = text.includes(':') ? 6 : 4): Subnet {
  const [address = '', digits = '', ...rest] = text.split('/')
  const { bits, name, example } = FAMILIES[family]
  const prefix = /^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN
  if (rest.length > 0 || addressFamily(address) !== family || !(prefix >= 1 && prefix <= bits)) {
    const other = family === 4 && text.includes(':') ? '; one of IPv6 is given as subnet6' : ''
    throw invalidSubnet(text, `want ${name} CIDR such as ${example}${other}`)
  }
  return subnetAround(addressNumber(address), prefix, family)
}

/**
 * A network to put containers in: named by its first address, with room for some hosts, not a part of the ranges
 * that no host can have. @throws {StatusError} `invalid_argument`
 */
export function parseContainerSubnet(text: string, family: Family): Subnet {
  const subnet = parseSubnet(text, family)
  const [shortest, longest] = FAMILIES[family].prefixes
  if (subnet.prefix < shortest || subnet.prefix > longest) {
    throw invalidSubnet(text, `want a prefix from ${shortest} to ${longest}`)
  }
  if (subnet.first !== addressNumber(text.split('/')[0]!)) {
    throw invalidSubnet(text, `the network with that prefix is ${subnetText(subnet)}`)
  }
  if (isForNoHost(subnet)) throw invalidSubnet(text, 'no host can have such an address')
  return subnet
}

export function subnetAround(address: bigint, prefix: number, family: Family): Subnet {
  const size = 1n << BigInt(FAMILIES[family].bits - prefix)
  const first = address - (address % size)
  return { family, first, last: first + size - 1n, prefix }
}

export function subnetText({ family, first, prefix }: Subnet): string {
  return `${addressOf(first, family)}/${prefix}`
}

/** Neither the network's own address (of IPv6: that of its routers) nor its last, which of IPv4 is for broadcasts. */
export function isHostOf({ family, first, last }: Subnet, address: string): boolean {
  const number = addressFamily(address) === family ? addressNumber(address) : -1n
  return number > first && number < last
}

export function isWithin({ family, first, last }: Subnet, address: string): boolean {
  const number = addressFamily(address) === family ? addressNumber(address) : -1n
  return number >= first && number <= last
}

export function subnetsOverlap(one: Subnet, other: Subnet): boolean {
  return one.family === other.family && one.first <= other.last && other.first <= one.last
}

/** Of this prefix, within the pool, overlapping none of the others; undefined if there is none. */
export function freeSubnet(pool: Subnet, prefix: number, others: readonly Subnet[]): Subnet | undefined {
  let candidate = subnetAround(pool.first, Math.max(prefix, pool.prefix), pool.family)
  while (candidate.last <= pool.last) {
    const taken = others.find((other) => subnetsOverlap(candidate, other))
    if (taken === undefined) return candidate
    const blocked = subnetAround(taken.last, candidate.prefix, pool.family)
    candidate = subnetAround(blocked.last + 1n, candidate.prefix, pool.family)
  }
  return undefined
}

export function addressNumber(address: string): bigint {
  return BigInt(`0x${addressBytes(address).toString('hex')}`)
}

export function addressOf(number: bigint, family: Family): string {
  const hex = number.toString(16).padStart(FAMILIES[family].bits / 4, '0')
  return addressText(Buffer.from(hex, 'hex'))
}

function isForNoHost({ family, first }: Subnet): boolean {
  if (family === 4) {
    const leading = first >> 24n
    return leading === 0n || leading === 127n || leading >= 224n
  }
  // ::/8 has loopback and the addresses of IPv4 hosts, fe80::/10 those of a link, ff00::/8 those of groups.
  const leading = first >> 118n
  return leading >> 2n === 0n || leading === 0xfe80n >> 6n || leading >> 2n === 0xffn
}

function invalidSubnet(text: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid subnet "${text.slice(0, 60)}": ${problem}`)
}
