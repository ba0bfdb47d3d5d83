import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StatusError } from '../lib/errors.ts'
import type { Container, DnsConfig } from '../model/container.ts'
import { HOST_GATEWAY } from '../model/dns.ts'
import type { Sandbox } from '../model/network.ts'
import { hostLines, hostnameFile, hostsFile, resolvConfFile } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { asksFromHost } from './dns-records.ts'
import { type HostResolvConf, readHostResolvConf } from './host-resolv-conf.ts'
import { findNetwork } from './networks.ts'
import { ownsSandbox } from './sandbox.ts'

/** As resolv.conf(5) has it. */
const SERVERS_LIMIT = 3

/** Writes the files that are bound over the container's /etc/{hosts,hostname,resolv.conf}; anew at each start. */
export async function writeEtcFiles(deps: Deps, container: Container, sandbox: Sandbox): Promise<void> {
  const { metadata, spec } = container
  const directory = deps.paths.etc(metadata.uid)
  const { hostname, attachments, networkMode } = sandbox.spec
  const names = hostname.includes('.') ? [hostname, hostname.split('.')[0]!] : [hostname]
  const own = attachments.flatMap(({ addresses }) => addresses.map((address) => address.split('/')[0]!))
  const extra = extraHosts(deps, spec, sandbox)
  const namesOf = (own: string) => extra.filter(({ address }) => address === own).flatMap((entry) => entry.names)
  // Further names of its own address come first: the first one on a line is what `hostname -f` tells.
  const entries = own.map((address) => ({ address, names: [...namesOf(address), ...names] }))
  const others = extra.filter(({ address }) => !own.includes(address))
  const gateways = await nameServers(deps, container, sandbox)
  const hosts = networkMode === 'host' ? await readHosts() : hostsFile(entries)
  const files = {
    hosts: hosts + hostLines(others),
    hostname: hostnameFile(hostname),
    'resolv.conf': resolvConf(readHostResolvConf(), spec.dns, gateways),
  }
  await mkdir(directory, { recursive: true, mode: 0o755 })
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text)))
}

/** The host's own, whose last line may lack its end. */
async function readHosts(): Promise<string> {
  return (await readFile('/etc/hosts', 'utf8')).replace(/[^\n]$/, '$&\n')
}

function extraHosts(deps: Deps, { extraHosts = [] }: Container['spec'], sandbox: Sandbox) {
  return extraHosts.map(({ name, address }) => ({
    address: address === HOST_GATEWAY ? hostAddress(deps, sandbox) : address,
    names: [name],
  }))
}

/** The gateways that answer DNS, when they know this container: first that of the default route. */
async function nameServers(
  { store, nameServer, defaults }: Deps,
  container: Container,
  sandbox: Sandbox,
): Promise<string[]> {
  const byPriority = sandbox.spec.attachments.toSorted((a, b) => b.gatewayPriority - a.gatewayPriority)
  const isInHost = asksFromHost(container, sandbox)
  const networks = isInHost ? [defaults.network] : byPriority.map(({ network }) => network)
  if (nameServer === undefined || networks.length === 0) return []
  // The address of a pod is known since its sandbox was made.
  if (isInHost || ownsSandbox(container, sandbox)) await nameServer.sync()
  return store
    .read((tx) => networks.map((network) => findNetwork(tx, network).spec.gateway))
    .filter((gateway) => nameServer.serves(gateway))
    .slice(0, SERVERS_LIMIT)
}

/** Names of containers have no dot: without "ndots:0" they would be looked for in the host's domains first. */
function resolvConf(
  { host, resolved }: HostResolvConf,
  dns: DnsConfig | undefined,
  gateways: readonly string[],
): string {
  const servers = (dns?.servers ?? []).flatMap((server) => (server === HOST_GATEWAY ? gateways : server))
  if (gateways.length === 0 || servers.length > 0) {
    return resolvConfFile(host, resolved, dns && { ...dns, servers })
  }
  const text = resolvConfFile(host, resolved, { search: [], options: [], ...dns, servers: gateways })
  return /^options\s.*\bndots:/m.test(text) ? text : `${text}options ndots:0\n`
}

/** The address at which a container reaches the host: its gateway. */
function hostAddress({ store }: Deps, { spec }: Sandbox): string {
  if (spec.networkMode === 'host') return '127.0.0.1'
  const network = spec.attachments[0]?.network
  if (network !== undefined) return store.read((tx) => findNetwork(tx, network)).spec.gateway
  throw new StatusError('failed_precondition', `A container without a network has no ${HOST_GATEWAY}`)
}
