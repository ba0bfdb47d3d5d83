import { isIPv6 } from 'node:net'
import type { DnsConfig } from '../../model/container.ts'

export interface HostEntry {
  readonly address: string
  readonly names: readonly string[]
}

const LOOPBACK_HOSTS: readonly HostEntry[] = [
  { address: '127.0.0.1', names: ['localhost'] },
  { address: '::1', names: ['localhost', 'ip6-localhost', 'ip6-loopback'] },
  { address: 'fe00::', names: ['ip6-localnet'] },
  { address: 'ff00::', names: ['ip6-mcastprefix'] },
  { address: 'ff02::1', names: ['ip6-allnodes'] },
  { address: 'ff02::2', names: ['ip6-allrouters'] },
]

const HOST_DNS: DnsConfig = { servers: [], search: [], options: [] }

/** For a host whose own servers a container cannot reach, as docker falls back. */
const PUBLIC_SERVERS = ['8.8.8.8', '8.8.4.4']

/** /etc/hosts: loopback, then the container's own addresses and whatever else it shall know. */
export function hostsFile(entries: readonly HostEntry[]): string {
  return hostLines([...LOOPBACK_HOSTS, ...entries])
}

export function hostLines(entries: readonly HostEntry[]): string {
  return entries.map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('')
}

export function hostnameFile(hostname: string): string {
  return `${hostname}\n`
}

/**
 * /etc/resolv.conf for a container, from the texts of the host's.
 *
 * A server on loopback is the host's own and is left out, as is an IPv6 one with a zone, which names a link of the
 * host. If none remains the servers behind systemd-resolved are taken, if its file is there, and else public ones.
 *
 * What the user gives takes the place of the host's.
 *
 * @param host the text of /etc/resolv.conf
 * @param resolved the text of /run/systemd/resolve/resolv.conf
 */
export function resolvConfFile(host: string, resolved?: string, dns: DnsConfig = HOST_DNS): string {
  const source = [host, resolved ?? ''].find((text) => nameservers(text).length > 0)
  const hostServers = source === undefined ? PUBLIC_SERVERS : nameservers(source)
  const inherited = (keys: RegExp) => lines(source ?? host).filter((line) => keys.test(line))
  const domains = dns.search.filter((domain) => domain !== '.')
  return [
    ...(dns.servers.length > 0 ? dns.servers : hostServers).map((server) => `nameserver ${server}`),
    ...(dns.search.length === 0
      ? inherited(/^(search|domain)\s/)
      : domains.length > 0
        ? [`search ${domains.join(' ')}`]
        : []),
    ...(dns.options.length === 0 ? inherited(/^options\s/) : [`options ${dns.options.join(' ')}`]),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

function nameservers(text: string): string[] {
  return lines(text)
    .map((line) => /^nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((server) => server !== undefined)
    .filter((server) => !isOfHostOnly(server))
}

function isOfHostOnly(server: string): boolean {
  return server.startsWith('127.') || server.includes('%') || (isIPv6(server) && /^[0:]*:0*1$/.test(server))
}

function lines(text: string): string[] {
  return text.split('\n').map((line) => line.trim())
}
