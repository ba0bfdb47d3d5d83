import { StatusError } from '../lib/errors.ts'
import { addressBytes } from '../lib/ip-address.ts'
import { addressNumber, addressOf, isHostOf, parseSubnet, subnetText } from '../model/subnet.ts'

/**
 * The next free address after `last`, going round, so that an address just freed rests as long as possible. Never
 * the subnet's first or last address, nor the gateway.
 *
 * @throws {StatusError} `resource_exhausted` if all are taken
 */
export function nextAddress(
  subnet: string,
  gateway: string,
  last: string | undefined,
  taken: (address: string) => boolean,
): string {
  const range = parseSubnet(subnet)
  const usable = range.last - range.first - 1n
  const start = last !== undefined && isHostOf(range, last) ? addressNumber(last) - range.first : 0n
  for (let step = 0n; step < usable; step++) {
    const address = addressOf(range.first + 1n + ((start + step) % usable), range.family)
    if (address !== gateway && !taken(address)) return address
  }
  throw new StatusError('resource_exhausted', `All addresses of the subnet ${subnet} are taken`)
}

/** The subnet as iptables and ip6tables write it: `10.0.0.5/24` is `10.0.0.0/24`. @throws {StatusError} `invalid_argument` */
export function canonicalSubnet(subnet: string): string {
  return subnetText(parseSubnet(subnet))
}

/** `address` with the prefix length of the subnet: `10.0.0.1/24`. */
export function inSubnet(address: string, subnet: string): string {
  return `${address}/${parseSubnet(subnet).prefix}`
}

/** The MAC that goes with an IPv4 address, as docker derives it: `02:42:` and the four bytes. */
export function defaultMac(address: string): string {
  return ['02', '42', ...[...addressBytes(address)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}
