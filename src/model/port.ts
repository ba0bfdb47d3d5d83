import { isIPv4 } from 'node:net'
import { StatusError } from '../lib/errors.ts'
import type { PortMapping, Protocol } from './network.ts'

const SUFFIX = /^(?<ports>.*?)(?:\/(?<protocol>[^/:]*)|:(?<contractProtocol>[a-z]+))?$/is

/**
 * Parses a published port: `[ip:]host:container[/protocol]`, `host:container[:protocol]` (contract) or `container`.
 * A host port that is absent, empty or 0 asks for a free one; without an ip it is published on all addresses.
 * @throws {StatusError} `invalid_argument`
 */
export function parsePort(text: string): PortMapping {
  const { ports = '', protocol, contractProtocol } = SUFFIX.exec(text)?.groups ?? {}
  const parts = ports.split(':')
  const [container = '', host = '', hostIp = '0.0.0.0'] = parts.toReversed()
  if (container === '' || parts.length > 3)
    throw invalidPort(text, 'want [ip:]host:container[/protocol], as in 8080:80')
  if (!isIPv4(hostIp)) throw invalidPort(text, `"${hostIp.slice(0, 40)}" is not an IPv4 address`)
  return {
    hostIp,
    hostPort: host === '' ? 0 : parseNumber(text, host, 0),
    containerPort: parseNumber(text, container, 1),
    protocol: parseProtocol(text, protocol ?? contractProtocol ?? 'tcp'),
  }
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
