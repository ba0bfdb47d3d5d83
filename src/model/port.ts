import { isIPv4 } from 'node:net'
import { StatusError } from '../lib/errors.ts'
import type { PortMapping, Protocol } from './network.ts'

const SUFFIX = /^(?<ports>.*?)(?:\/(?<protocol>[^/:]*)|:(?<contractProtocol>[a-z]+))?$/is

const MAX_RANGE = 1024

/**
 * Parses published ports: `[ip:]host:container[/protocol]`, `host:container[:protocol]` (contract) or `container`.
 * Both ports may be ranges of the same length: `8000-8010:80-90`. A host port that is absent, empty or 0 asks for a free one; without an ip it is published on all addresses.
 * @throws {StatusError} `invalid_argument`
 */
export function parsePorts(text: string): PortMapping[] {
  const { ports = '', protocol, contractProtocol } = SUFFIX.exec(text)?.groups ?? {}
  const parts = ports.split(':')
  const [container = '', host = '', hostIp = '0.0.0.0'] = parts.toReversed()
  if (container === '' || parts.length > 3)
    throw invalidPort(text, 'want [ip:]host:container[/protocol], as in 8080:80')
  if (!isIPv4(hostIp)) throw invalidPort(text, `"${hostIp.slice(0, 40)}" is not an IPv4 address`)
  const inside = parseRange(text, container, 1)
  const outside = host === '' || Number(host) === 0 ? inside.map(() => 0) : parseRange(text, host, 0)
  if (inside.length !== outside.length) {
    throw invalidPort(text, `${outside.length} host ports do not match ${inside.length} container ports`)
  }
  const name = parseProtocol(text, protocol ?? contractProtocol ?? 'tcp')
  return inside.map((containerPort, index) => ({ hostIp, hostPort: outside[index]!, containerPort, protocol: name }))
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
