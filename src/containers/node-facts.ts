import { statfs } from 'node:fs/promises'
import { availableParallelism, hostname, totalmem } from 'node:os'
import type { DnsConfig } from '../model/container.ts'
import { resolvConfFile } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { readHostResolvConf } from './host-resolv-conf.ts'

/** What of this machine goes into the containers of pods: Kubernetes calls it a node. */
export interface NodeFacts {
  readonly name: string
  /** All that it has: nothing is kept from pods. */
  readonly milliCpus: number
  readonly memoryBytes: number
  /** Of the file system that containers write to. */
  readonly storageBytes: number
  /** Whether a cgroup can limit swap. */
  readonly limitsSwap: boolean
  /** Whether containers are confined by it unless they ask for something else. */
  readonly hasAppArmor: boolean
  /** How it resolves names itself, with servers that a container can reach. */
  readonly dns: DnsConfig
}

export async function readNodeFacts({
  runtime,
  paths,
  apparmorProfile,
}: Pick<Deps, 'runtime' | 'paths' | 'apparmorProfile'>): Promise<NodeFacts> {
  const { blocks, bsize } = await statfs(paths.containersDir)
  const { host, resolved } = readHostResolvConf()
  return {
    name: hostname().toLowerCase(),
    milliCpus: availableParallelism() * 1000,
    memoryBytes: totalmem(),
    storageBytes: blocks * bsize,
    limitsSwap: runtime.host.limitsSwap,
    hasAppArmor: apparmorProfile !== undefined,
    dns: parseResolvConf(resolvConfFile(host, resolved)),
  }
}

/** Of each of `search` and `domain` the last line counts (resolv.conf(5)). */
export function parseResolvConf(text: string): DnsConfig {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
  const words = (...keys: string[]) => lines.filter(([key = '']) => keys.includes(key)).map(([, ...rest]) => rest)
  return {
    servers: words('nameserver').flatMap(([server]) => server ?? []),
    search: words('search', 'domain').at(-1) ?? [],
    options: words('options').flat(),
  }
}
