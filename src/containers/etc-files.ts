import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StatusError, systemCode } from '../lib/errors.ts'
import type { Container, DnsConfig } from '../model/container.ts'
import { HOST_GATEWAY } from '../model/dns.ts'
import type { Sandbox } from '../model/network.ts'
import { hostLines, hostnameFile, hostsFile, resolvConfFile } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { findNetwork } from './networks.ts'

/** As resolv.conf(5) has it. */
const SERVERS_LIMIT = 3

/** Writes the files that are bound over the container's /etc/{hosts,hostname,resolv.conf}; anew at each start. */
export async function writeEtcFiles(deps: Deps, { metadata, spec }: Container, sandbox: Sandbox): Promise<void> {
  const directory = deps.paths.etc(metadata.uid)
  const { hostname, attachments, networkMode } = sandbox.spec
  const names = hostname.includes('.') ? [hostname, hostname.split('.')[0]!] : [hostname]
  const entries = attachments.flatMap(({ addresses }) =>
    addresses.map((address) => ({ address: address.split('/')[0]!, names })),
  )
  const extra = (spec.extraHosts ?? []).map(({ name, address }) => ({
    address: address === HOST_GATEWAY ? hostAddress(deps, sandbox) : address,
    names: [name],
  }))
  const [gateways, host, resolved] = await Promise.all([
    nameServers(deps, sandbox),
    readIfThere('/etc/resolv.conf'),
    readIfThere('/run/systemd/resolve/resolv.conf'),
  ])
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const hosts = networkMode === 'host' ? await readFile('/etc/hosts', 'utf8') : hostsFile(entries)
  await Promise.all([
    writeFile(join(directory, 'hosts'), hosts + hostLines(extra)),
    writeFile(join(directory, 'hostname'), hostnameFile(hostname)),
    writeFile(join(directory, 'resolv.conf'), resolvConf(host ?? '', resolved, spec.dns, gateways)),
  ])
}

/** The gateways that answer DNS, when they know this container: first that of the default route. */
async function nameServers({ store, nameServer }: Deps, { spec }: Sandbox): Promise<string[]> {
  if (nameServer === undefined || spec.attachments.length === 0) return []
  await nameServer.sync()
  const attachments = spec.attachments.toSorted((a, b) => b.gatewayPriority - a.gatewayPriority)
  return store
    .read((tx) => attachments.map(({ network }) => findNetwork(tx, network).spec.gateway))
    .filter((gateway) => nameServer.serves(gateway))
    .slice(0, SERVERS_LIMIT)
}

/** Names of containers have no dot: without "ndots:0" they would be looked for in the host's domains first. */
function resolvConf(
  host: string,
  resolved: string | undefined,
  dns: DnsConfig | undefined,
  gateways: readonly string[],
): string {
  if (gateways.length === 0 || (dns !== undefined && dns.servers.length > 0)) return resolvConfFile(host, resolved, dns)
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

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
