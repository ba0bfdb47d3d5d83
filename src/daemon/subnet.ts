import { isIPv4 } from 'node:net'
import { StatusError } from '../lib/errors.ts'
import type { NetworkSpec } from '../model/network.ts'

/** The default network's share of the subnet: 4096 addresses. */
const NETWORK_PREFIX = 20
const GATEWAY_OFFSET = 254

interface Range {
  readonly first: number
  readonly size: number
  readonly prefix: number
}

/**
 * The default network: the first /20 of the subnet (all of it if it is smaller), with the gateway at its 254th
 * address (the last one if it has fewer) unless one is given. @throws {StatusError} `invalid_argument`
 */
export function defaultNetwork(bridge: string, subnet: string, gateway?: string): NetworkSpec {
  const { first, prefix } = parseSubnet(subnet)
  const range = rangeOf(first, Math.max(prefix, NETWORK_PREFIX))
  const own = `${toText(range.first)}/${range.prefix}`
  const address = gateway ?? toText(range.first + Math.min(GATEWAY_OFFSET, range.size - 2))
  if (!isIPv4(address) || !isHostOf(range, toNumber(address))) {
    throw new StatusError('invalid_argument', `Invalid gateway "${address}": it is not a host address of ${own}`)
  }
  return { bridge, subnet: own, gateway: address }
}

/** Its own first address, broadcast and multicast ranges are not networks to put containers in. */
function parseSubnet(text: string): Range {
  const [address = '', digits = '', ...rest] = text.split('/')
  const prefix = /^\d{1,2}$/.test(digits) ? Number(digits) : Number.NaN
  if (rest.length > 0 || !isIPv4(address) || !(prefix >= 8 && prefix <= 29)) {
    throw invalidSubnet(text, 'want an IPv4 network with a prefix from 8 to 29, as in 10.166.0.0/16')
  }
  const range = rangeOf(toNumber(address), prefix)
  if (range.first !== toNumber(address)) {
    throw invalidSubnet(text, `the network with that prefix is ${toText(range.first)}/${prefix}`)
  }
  const leading = range.first >>> 24
  if (leading === 0 || leading === 127 || leading >= 224) throw invalidSubnet(text, 'no host can have such an address')
  return range
}

function rangeOf(first: number, prefix: number): Range {
  const size = 2 ** (32 - prefix)
  return { first: Math.floor(first / size) * size, size, prefix }
}

function isHostOf({ first, size }: Range, address: number): boolean {
  return address > first && address < first + size - 1
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
}

function invalidSubnet(text: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid subnet "${text.slice(0, 40)}": ${problem}`)
}
