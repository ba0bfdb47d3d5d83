import { isIPv4 } from 'node:net'

/** Of an IPv4 or IPv6 address, 4 or 16. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => text.split(':').filter(Boolean)
  const end = groups(tail ?? '')
  const zeros = 8 - groups(head).length - end.length
  const all = [...groups(head), ...(tail === undefined ? [] : Array<string>(zeros).fill('0')), ...end]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** The name under which an address is looked up (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string {
  const bytes = addressBytes(address)
  if (bytes.length === 4) return `${[...bytes].reverse().join('.')}.in-addr.arpa`
  return `${[...bytes.toString('hex')].reverse().join('.')}.ip6.arpa`
}

/** The IPv4 address that a name is the reverse of. */
export function reversedAddress(name: string): string | undefined {
  const address = /^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\.in-addr\.arpa$/
    .exec(name)?.[1]
    ?.split('.')
    .reverse()
    .join('.')
  return address !== undefined && isIPv4(address) ? address : undefined
}
