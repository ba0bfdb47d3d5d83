import { isIPv4 } from 'node:net'
import { StatusError } from '../lib/errors.ts'
import type { PortMapping, Protocol } from './network.ts'

const FORM = /^(?:(?:(?<ip>[^:/]+):)?(?<host>[^:/]*):)?(?<container>[^:/]+)(?:[:/](?<protocol>[a-z]+))?$/i

/**
 * Parses a published port: `[ip:]host:container[/protocol]`, `host:container[:protocol]` (contract) or `container`.
 * A host port that is absent, empty or 0 asks for a free one; without an ip it is published on all addresses.
 * @throws {StatusError} `invalid_argument`
 */
export function parsePort(text: string): PortMapping {
  const parts = FORM.exec(text)?.groups
  if (parts === undefined) throw invalidPort(text, 'want [ip:]host:container[/protocol], as in 8080:80/tcp')
  const hostIp = parts['ip'] ?? '0.0.0.0'
  if (!isIPv4(hostIp)) throw invalidPort(text, `"${hostIp}" is not an IPv4 address`)
  return {
    hostIp,
    hostPort: parts['host'] ? parseNumber(text, parts['host'], 0) : 0,
    containerPort: parseNumber(text, parts['container']!, 1),
    protocol: parseProtocol(text, parts['protocol'] ?? 'tcp'),
  }
}

/** The text that `parsePort` reads back. */
export function formatPort({ hostIp, hostPort, containerPort, protocol }: PortMapping): string {
  return `${hostIp}:${hostPort}:${containerPort}/${protocol}`
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
