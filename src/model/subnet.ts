import { isIPv4 } from 'node:net'
import { StatusError } from '../lib/errors.ts'

/** An IPv4 network, with addresses as numbers. */
export interface Subnet {
  readonly first: number
  readonly last: number
  readonly prefix: number
}

/** `address/prefix`, whatever address of the network. @throws {StatusError} `invalid_argument` */
export function parseSubnet(text: string): Subnet {
  const [address = '', digits = '', ...rest] = text.split('/')
  const prefix = /^\d{1,2}$/.test(digits) ? Number(digits) : Number.NaN
  if (rest.length > 0 || !isIPv4(address) || !(prefix >= 1 && prefix <= 32)) {
    throw invalidSubnet(text, 'want IPv4 CIDR such as 10.166.0.0/20')
  }
  return subnetAround(addressNumber(address), prefix)
}

/**
 * A network to put containers in: named by its first address, with room for two hosts at least, not a part of the
 * ranges that no host can have. @throws {StatusError} `invalid_argument`
 */
export function parseContainerSubnet(text: string): Subnet {
  const subnet = parseSubnet(text)
  if (subnet.prefix < 8 || subnet.prefix > 29) throw invalidSubnet(text, 'want a prefix from 8 to 29')
  if (addressText(subnet.first) !== text.split('/')[0]) {
    throw invalidSubnet(text, `the network with that prefix is ${subnetText(subnet)}`)
  }
  const leading = subnet.first >>> 24
  if (leading === 0 || leading === 127 || leading >= 224) throw invalidSubnet(text, 'no host can have such an address')
  return subnet
}

export function subnetAround(address: number, prefix: number): Subnet {
  const size = 2 ** (32 - prefix)
  const first = Math.floor(address / size) * size
  return { first, last: first + size - 1, prefix }
}

export function subnetText({ first, prefix }: Subnet): string {
  return `${addressText(first)}/${prefix}`
}

/** Neither the network's own address nor its broadcast address. */
export function isHostOf({ first, last }: Subnet, address: string): boolean {
  const number = isIPv4(address) ? addressNumber(address) : 0
  return number > first && number < last
}

export function subnetsOverlap(one: Subnet, other: Subnet): boolean {
  return one.first <= other.last && other.first <= one.last
}

/** Of this prefix, within the pool, overlapping none of the others; undefined if there is none. */
export function freeSubnet(pool: Subnet, prefix: number, others: readonly Subnet[]): Subnet | undefined {
  let candidate = subnetAround(pool.first, Math.max(prefix, pool.prefix))
  while (candidate.last <= pool.last) {
    const taken = others.find((other) => subnetsOverlap(candidate, other))
    if (taken === undefined) return candidate
    candidate = subnetAround(Math.max(taken.last, candidate.last) + 1, candidate.prefix)
  }
  return undefined
}

export function addressNumber(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}

function invalidSubnet(text: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid subnet "${text.slice(0, 40)}": ${problem}`)
}
