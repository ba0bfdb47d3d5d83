import { addressBytes, addressFamily, addressText } from '../lib/ip-address.ts'

/** The name under which an address is looked up (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string {
  const bytes = addressBytes(address)
  if (bytes.length === 4) return `${[...bytes].reverse().join('.')}.in-addr.arpa`
  return `${[...bytes.toString('hex')].reverse().join('.')}.ip6.arpa`
}

/** The address that a name, in lower case, is the reverse of. */
export function reversedAddress(name: string): string | undefined {
  const nibbles = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1]
  if (nibbles !== undefined)
    return addressText(Buffer.from(nibbles.replaceAll('.', '').split('').reverse().join(''), 'hex'))
  const address = /^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\.in-addr\.arpa$/
    .exec(name)?.[1]
    ?.split('.')
    .reverse()
    .join('.')
  return address !== undefined && addressFamily(address) === 4 ? address : undefined
}
