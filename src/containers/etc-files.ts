import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StatusError, systemCode } from '../lib/errors.ts'
import type { Container } from '../model/container.ts'
import { HOST_GATEWAY } from '../model/dns.ts'
import type { Sandbox } from '../model/network.ts'
import { hostLines, hostnameFile, hostsFile, resolvConfFile } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { findNetwork } from './networks.ts'

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
  const [host, resolved] = await Promise.all([
    readIfThere('/etc/resolv.conf'),
    readIfThere('/run/systemd/resolve/resolv.conf'),
  ])
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const hosts = networkMode === 'host' ? await readFile('/etc/hosts', 'utf8') : hostsFile(entries)
  await Promise.all([
    writeFile(join(directory, 'hosts'), hosts + hostLines(extra)),
    writeFile(join(directory, 'hostname'), hostnameFile(hostname)),
    writeFile(join(directory, 'resolv.conf'), resolvConfFile(host ?? '', resolved, spec.dns)),
  ])
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
