import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { capabilitiesOfMask } from './capabilities.ts'

/** What of the host decides a container's configuration; read once, at the daemon's start. */
export interface HostFacts {
  /** GOARCH's name: `amd64`, `arm64`. */
  readonly architecture: string
  readonly kernel: readonly [major: number, minor: number]
  /** 1 also for hybrid hosts, whose controllers are in version 1's hierarchies. */
  readonly cgroupVersion: 1 | 2
  /** Whether a cgroup can limit swap. */
  readonly limitsSwap: boolean
  /** What the daemon itself may hand on. */
  readonly capabilities: readonly string[]
  /** The daemon's own hard limit of open files; Infinity if it has none. */
  readonly maxOpenFiles: number
  /** The lowest oom_score_adj, from 0 on, that the daemon may give a process. */
  readonly oomScoreAdj: number
  readonly hasAppArmor: boolean
  /** Paths below /sys that tell a container about its host's heat, per CPU. */
  readonly thermalPaths: readonly string[]
}

const GOARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }
const CGROUP = '/sys/fs/cgroup'

export function readHostFacts(): HostFacts {
  const status = readFileSync('/proc/self/status', 'utf8')
  const capabilities = capabilitiesOfMask(BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)![1]}`))
  const cgroupVersion = existsSync(join(CGROUP, 'cgroup.controllers')) ? 2 : 1
  return {
    architecture: GOARCH[process.arch] ?? process.arch,
    kernel: parseKernelRelease(release()),
    cgroupVersion,
    limitsSwap: cgroupVersion === 2 ? limitsSwapV2() : existsSync(`${CGROUP}/memory/memory.memsw.limit_in_bytes`),
    capabilities,
    maxOpenFiles: parseOpenFiles(readFileSync('/proc/self/limits', 'utf8')),
    oomScoreAdj: lowestOomScore(capabilities),
    hasAppArmor: readText('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
    thermalPaths: thermalPaths(),
  }
}

/** `6.1.0-18-amd64` → [6, 1]. */
export function parseKernelRelease(text: string): [number, number] {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(text) ?? []
  return [Number(major), Number(minor)]
}

/** The hard limit in the text of /proc/PID/limits. */
export function parseOpenFiles(limits: string): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1]
  return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
}

/** The root cgroup has no swap file: any child's tells. */
function limitsSwapV2(): boolean {
  const children = readdirSync(CGROUP, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return children.some(({ name }) => existsSync(join(CGROUP, name, 'memory.swap.max')))
}

/** Without CAP_SYS_RESOURCE a process cannot lower its score (proc(5)): 0 is right unless the daemon's own is above. */
function lowestOomScore(capabilities: readonly string[]): number {
  if (capabilities.includes('CAP_SYS_RESOURCE')) return 0
  return Math.max(0, Number(readText('/proc/self/oom_score_adj')))
}

function thermalPaths(): string[] {
  const cpus = '/sys/devices/system/cpu'
  if (!existsSync(cpus)) return []
  return readdirSync(cpus)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => join(cpus, name, 'thermal_throttle'))
    .filter((path) => existsSync(path))
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
