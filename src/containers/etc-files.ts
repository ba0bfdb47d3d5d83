import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../lib/errors.ts'
import type { Sandbox } from '../model/network.ts'
import { hostnameFile, hostsFile, resolvConfFile } from '../runtime/index.ts'

/** Writes the files that are bound over the container's /etc/{hosts,hostname,resolv.conf}; anew at each start. */
export async function writeEtcFiles(directory: string, sandbox: Sandbox): Promise<void> {
  const { hostname, attachments } = sandbox.spec
  const names = hostname.includes('.') ? [hostname, hostname.split('.')[0]!] : [hostname]
  const entries = attachments.flatMap(({ addresses }) =>
    addresses.map((address) => ({ address: address.split('/')[0]!, names })),
  )
  const [host, resolved] = await Promise.all([
    readIfThere('/etc/resolv.conf'),
    readIfThere('/run/systemd/resolve/resolv.conf'),
  ])
  await mkdir(directory, { recursive: true, mode: 0o755 })
  await Promise.all([
    writeFile(join(directory, 'hosts'), hostsFile(entries)),
    writeFile(join(directory, 'hostname'), hostnameFile(hostname)),
    writeFile(join(directory, 'resolv.conf'), resolvConfFile(host ?? '', resolved)),
  ])
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
