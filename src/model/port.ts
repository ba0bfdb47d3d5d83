import { StatusError } from '../lib/errors.ts'
import { addressFamily, canonicalAddress } from '../lib/ip-address.ts'
import type { PortMapping, Protocol } from './network.ts'

/** An IPv6 address has brackets. */
const ON_ADDRESS = /^(?:\[(?<ipv6>[^\]]*)\]|(?<ipv4>[^:[\]]*)):(?<ports>[^:]*:[^:]*)$/
const SUFFIX = /^(?<ports>.*?)(?:\/(?<protocol>[^/:]*)|:(?<contractProtocol>[a-z]+))?$/is

const MAX_RANGE = 1024

/**
 * Parses published ports: `[ip:]host:container[/protocol]`, `host:container[:protocol]` (contract) or `container`.
 * Both ports may be ranges of the same length: `8000-8010:80-90`. A host port that is absent, empty or 0 asks for a free
 * one; without an ip it is published on all addresses, which is an empty `hostIp`. An IPv6 address is put in brackets.
 * @throws {StatusError} `invalid_argument`
 */
export function parsePorts(text: string): PortMapping[] {
  const { ports = '', protocol, contractProtocol } = SUFFIX.exec(text)?.groups ?? {}
  const on = ON_ADDRESS.exec(ports)?.groups
  const hostIp = on === undefined ? '' : parseAddress(text, on)
  const parts = (on?.['ports'] ?? ports).split(':')
  const [container = '', host = ''] = parts.toReversed()
  if (container === '' || parts.length > 2)
    throw invalidPort(text, 'want [ip:]host:container[/protocol], as in 8080:80')
  const inside = parseRange(text, container, 1)
  const outside = host === '' || Number(host) === 0 ? inside.map(() => 0) : parseRange(text, host, 0)
  if (inside.length !== outside.length) {
    throw invalidPort(text, `${outside.length} host ports do not match ${inside.length} container ports`)
  }
  const name = parseProtocol(text, protocol ?? contractProtocol ?? 'tcp')
  return inside.map((containerPort, index) => ({ hostIp, hostPort: outside[index]!, containerPort, protocol: name }))
}

function parseAddress(text: string, { ipv4, ipv6 }: Readonly<Record<string, string | undefined>>): string {
  const address = ipv4 ?? ipv6 ?? ''
  if (addressFamily(address) !== (ipv4 === undefined ? 6 : 4)) {
    throw invalidPort(text, `"${address.slice(0, 60)}" is not an ${ipv4 === undefined ? 'IPv6' : 'IPv4'} address`)
  }
  const canonical = canonicalAddress(address)
  // The kernel has no route_localnet for it: answers do not find back.
  if (canonical === '::1') throw invalidPort(text, 'what is sent to ::1 cannot be led elsewhere; publish on 127.0.0.1')
  return canonical
}

/** `8000` or `8000-8010`. */
function parseRange(text: string, range: string, minimum: number): number[] {
  const [, first = range, last = first] = /^(\d+)-(\d+)$/.exec(range) ?? []
  const [from, to] = [parseNumber(text, first, minimum), parseNumber(text, last, minimum)]
  if (to < from) throw invalidPort(text, `"${range.slice(0, 40)}" is not a range of ports`)
  if (to - from >= MAX_RANGE) throw invalidPort(text, `a range may have ${MAX_RANGE} ports at most`)
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

function parseNumber(text: string, digits: string, minimum: number): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN
  if (port >= minimum && port <= 65_535) return port
  throw invalidPort(text, `"${digits.slice(0, 40)}" is not a port from ${minimum} to 65535`)
}

function parseProtocol(text: string, name: string): Protocol {
  const protocol = name.toLowerCase()
  if (protocol === 'tcp' || protocol === 'udp') return protocol
  throw invalidPort(text, `protocol "${name.slice(0, 40)}" is not tcp or udp`)
}

function invalidPort(text: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid port "${text.slice(0, 100)}": ${problem}`)
}
