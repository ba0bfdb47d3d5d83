import { isIPv4, isIPv6 } from 'node:net'

export type Family = 4 | 6

/** Undefined for what is no address, or one with a zone (`fe80::1%eth0`), which means something on one host only. */
export function addressFamily(text: string): Family | undefined {
  if (isIPv4(text)) return 4
  return isIPv6(text) && !text.includes('%') ? 6 : undefined
}

/** 4 bytes of an IPv4 address, 16 of an IPv6 one. The text must be an address. */
export function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const [front, back] = [groupsOf(head), groupsOf(tail ?? '')]
  const zeros = Array<string>(8 - front.length - back.length).fill('0')
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** The one text of an address, as the kernel's tools print it (RFC 5952, less its mixed notation). */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const hex = Buffer.from(bytes).toString('hex')
  const text = hex.replaceAll(/0{0,3}([0-9a-f]{1,4})(?=(?:[0-9a-f]{4})*$)/g, ':$1').slice(1)
  const longest = [...text.matchAll(/\b0(?::0)+\b/g)].toSorted((a, b) => b[0].length - a[0].length)[0]
  if (longest === undefined) return text
  const [before, after] = [text.slice(0, longest.index), text.slice(longest.index + longest[0].length)]
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`
}

/** The same address, as `addressText` writes it. */
export function canonicalAddress(address: string): string {
  return addressText(addressBytes(address))
}

/** `a:b:1.2.3.4` has four. */
function groupsOf(text: string): string[] {
  return text
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (!group.includes('.')) return [group]
      const hex = Buffer.from(group.split('.').map(Number)).toString('hex')
      return [hex.slice(0, 4), hex.slice(4)]
    })
}
