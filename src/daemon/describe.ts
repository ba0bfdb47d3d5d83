import { readFile, stat, statfs } from 'node:fs/promises'
import { arch, availableParallelism, hostname, release, totalmem } from 'node:os'
import type { WireDaemon } from '../api/raind/index.ts'
import { version } from '../lib/version.ts'
import { cgroupHierarchies, cgroupMode, type Hierarchy } from '../linux/cgroup.ts'
import { cgroupControllers } from '../linux/cgroup-controllers.ts'
import type { Config } from './config.ts'
import { type Engine, storeFile } from './engine.ts'

/** Below this share of the file system that has the root, or this many bytes, the disk counts as nearly full. */
const LOW_DISK = { share: 0.05, bytes: 2 ** 30 }

/** What the daemon says of itself and of its host. Nothing of it is kept: it is asked for by people. */
export async function describeDaemon(config: Config, engine: Engine): Promise<WireDaemon> {
  const { root, run, socket, listen, logLevel, network, subnet, dns } = config
  const hierarchies = cgroupHierarchies()
  const [runtimes, os, store] = await Promise.all([engine.runtime.describe(), osName(), describeStore(root)])
  return {
    version,
    node: process.version,
    pid: process.pid,
    uptimeMs: Math.round(process.uptime() * 1000),
    root,
    run,
    socket,
    listen: listen === undefined ? '' : `${listen.host}:${listen.port}`,
    logLevel,
    host: {
      name: hostname(),
      os,
      kernel: release(),
      architecture: arch(),
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
      cgroups: cgroupMode(hierarchies),
      apparmor: engine.apparmorProfile ?? '',
    },
    runtimes,
    network: { default: network.bridge, subnet: network.subnet, pool: subnet, dns },
    store,
    warnings: [...hostWarnings(engine, hierarchies), ...diskWarnings(root, store)],
  }
}

/** What containers do without here. */
function hostWarnings({ runtime, apparmorProfile }: Engine, hierarchies: readonly Hierarchy[]): string[] {
  const { limitsSwap, hasAppArmor } = runtime.host
  const controllers = cgroupControllers(hierarchies)
  const missing = ['memory', 'cpu', 'cpuset', 'pids'].filter((name) => !controllers.has(name))
  return [
    ...missing.map((name) => `No limits of ${name}: the kernel has that cgroup controller turned off`),
    ...(limitsSwap || missing.includes('memory') ? [] : ['No limit of swap: the kernel does not account for it']),
    ...(hasAppArmor ? [] : ['No AppArmor: the kernel has none, or it is turned off']),
    ...(hasAppArmor && apparmorProfile === undefined
      ? ["No AppArmor: the containers' profile could not be loaded; is apparmor_parser installed?"]
      : []),
  ]
}

function diskWarnings(root: string, { freeBytes, totalBytes }: WireDaemon['store']): string[] {
  if (freeBytes >= Math.min(totalBytes * LOW_DISK.share, LOW_DISK.bytes)) return []
  return [`The disk that has ${root} is nearly full: see raind system df, raind system prune`]
}

async function describeStore(root: string): Promise<WireDaemon['store']> {
  const file = storeFile(root)
  const sizes = await Promise.all(['', '-wal'].map((end) => stat(file + end).catch(() => undefined)))
  const { bavail, blocks, bsize } = await statfs(root)
  return {
    file,
    sizeBytes: sizes.reduce((sum, one) => sum + (one?.size ?? 0), 0),
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
  }
}

async function osName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? 'Linux'
}
