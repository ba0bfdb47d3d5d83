import { StatusError } from '../lib/errors.ts'
import { addressNumber, addressText, parseSubnet, subnetText } from '../model/subnet.ts'

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
  const usable = Math.max(0, range.last - range.first - 1)
  const lastOffset = last === undefined ? -1 : addressNumber(last) - range.first - 1
  const start = lastOffset >= 0 && lastOffset < usable ? lastOffset + 1 : 0
  for (let step = 0; step < usable; step++) {
    const address = addressText(range.first + 1 + ((start + step) % usable))
    if (address !== gateway && !taken(address)) return address
  }
  throw new StatusError('resource_exhausted', `All addresses of the subnet ${subnet} are taken`)
}

/** The subnet as iptables writes it: `10.0.0.5/24` is `10.0.0.0/24`. @throws {StatusError} `invalid_argument` */
export function canonicalSubnet(subnet: string): string {
  return subnetText(parseSubnet(subnet))
}

/** `address` with the prefix length of the subnet: `10.0.0.1/24`. */
export function inSubnet(address: string, subnet: string): string {
  return `${address}/${parseSubnet(subnet).prefix}`
}

/** The MAC that goes with an address, as docker derives it: `02:42:` and the four bytes. */
export function defaultMac(address: string): string {
  const hex = (byte: string) => Number(byte).toString(16).padStart(2, '0')
  return `02:42:${address.split('.').map(hex).join(':')}`
}
