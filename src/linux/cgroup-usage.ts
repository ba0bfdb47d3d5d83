/**
 * What the processes of a cgroup use: the one place that knows where the versions keep it.
 *
 * A file costs some 12 µs, nearly all of it its opening, so a container 0.2 ms and more on a busy machine: what looks at
 * many does so on the kernel thread ({@link usageOps}).
 */
import { join } from 'node:path'
import { cgroupHierarchies, type Hierarchy, readIfThere } from './cgroup.ts'
import type { KernelOps } from './kernel-thread.ts'
import { type LinkCounters, linkCounters } from './net-dev.ts'

export interface CpuUsage {
  readonly usageUsec: number
  readonly userUsec: number
  readonly systemUsec: number
  /** Of CFS bandwidth control: how many periods there were, and in how many the cgroup had to wait. */
  readonly periods: number
  readonly throttled: number
  readonly throttledUsec: number
  /** Absent: no limit. */
  readonly quotaUsec?: number
  readonly periodUsec: number
}

export interface MemoryUsage {
  readonly currentBytes: number
  /** Absent: no limit. */
  readonly maxBytes?: number
  /** Pages of files that nobody has touched lately: the first that the kernel takes back. */
  readonly inactiveFileBytes: number
  /** How often an allocation met the limit and found nothing to take back; with version 1 the kills stand for it. */
  readonly ooms: number
  readonly oomKills: number
}

export interface IoUsage {
  readonly readBytes: number
  readonly writeBytes: number
  readonly readOps: number
  readonly writeOps: number
}

export interface CgroupUsage {
  readonly cpu: CpuUsage
  readonly memory: MemoryUsage
  readonly io: IoUsage
  /** Processes and threads. `max` absent: no limit. */
  readonly pids: { readonly current: number; readonly max?: number }
}

/** Undefined if the cgroup is gone. What a controller that the host lacks would count is 0. */
export function cgroupUsage(cgroup: string, hierarchies: readonly Hierarchy[]): CgroupUsage | undefined {
  const files = filesOf(cgroup, hierarchies)
  const cpu = files('cpuacct').version === 1 ? cpuOfVersion1(files) : cpuOfVersion2(files('cpu').read)
  if (cpu === undefined) return undefined
  const memory = files('memory')
  const blkio = files('blkio')
  return {
    cpu,
    memory: memory.version === 1 ? memoryOfVersion1(memory.read) : memoryOfVersion2(memory.read),
    io: blkio.version === 1 ? ioOfVersion1(blkio.read) : ioOfVersion2(blkio.read),
    pids: withMax(count(files('pids').read('pids.current')), files('pids').read('pids.max')),
  }
}

/** One container, for the operation. */
export interface UsageTarget {
  readonly cgroup: string
  /** A process in the network namespace whose links are counted; absent for a container in the host's. */
  readonly pid?: number
  /** The links that count: a container with rights over its network can make any number of others. */
  readonly links: readonly string[]
}

export interface Usage extends CgroupUsage {
  /** ms since the epoch, to the µs, by a clock that nobody sets. */
  readonly takenAt: number
  readonly links: readonly LinkCounters[]
}

/** For the kernel thread: undefined where a cgroup is gone. */
export const usageOps: KernelOps = {
  'cgroup.usage': (targets: readonly UsageTarget[]): (Usage | undefined)[] =>
    targets.map(({ cgroup, pid, links }) => {
      const usage = cgroupUsage(cgroup, mountedHierarchies())
      if (usage === undefined) return undefined
      const counted = pid === undefined ? [] : linkCounters(pid, links)
      return { ...usage, takenAt: performance.timeOrigin + performance.now(), links: counted }
    }),
}

let mounted: readonly Hierarchy[] | undefined

/** Looked up once a thread. */
function mountedHierarchies(): readonly Hierarchy[] {
  mounted ??= cgroupHierarchies()
  return mounted
}

type Read = (file: string) => string | undefined
type Files = (controller: string) => { readonly version: 1 | 2; readonly read: Read }

/** A controller's files are in its version 1 hierarchy where it has one, else in version 2's. */
function filesOf(cgroup: string, hierarchies: readonly Hierarchy[]): Files {
  const unified = hierarchies.find(({ version }) => version === 2)
  return (controller) => {
    const own = hierarchies.find(({ version, controllers }) => version === 1 && controllers.includes(controller))
    const hierarchy = own ?? unified
    const read = (file: string) => hierarchy && readIfThere(join(hierarchy.mountPoint, cgroup, file))
    return { version: own === undefined ? 2 : 1, read }
  }
}

function cpuOfVersion1(files: Files): CpuUsage | undefined {
  const { read } = files('cpuacct')
  const limits = files('cpu').read
  const usage = read('cpuacct.usage')
  if (usage === undefined) return undefined
  const usageUsec = microseconds(count(usage))
  // The whole is measured, the user's part sampled: it may come out larger.
  const userUsec = Math.min(usageUsec, microseconds(count(read('cpuacct.usage_user'))))
  const stat = fields(limits('cpu.stat'))
  const quota = count(limits('cpu.cfs_quota_us'))
  return {
    usageUsec,
    userUsec,
    systemUsec: usageUsec - userUsec,
    periods: stat.get('nr_periods') ?? 0,
    throttled: stat.get('nr_throttled') ?? 0,
    throttledUsec: microseconds(stat.get('throttled_time') ?? 0),
    ...(quota > 0 && { quotaUsec: quota }),
    periodUsec: count(limits('cpu.cfs_period_us')),
  }
}

function cpuOfVersion2(read: Read): CpuUsage | undefined {
  const text = read('cpu.stat')
  if (text === undefined) return undefined
  const stat = fields(text)
  const [quota = 'max', period = '0'] = (read('cpu.max') ?? '').trim().split(' ')
  return {
    usageUsec: stat.get('usage_usec') ?? 0,
    userUsec: stat.get('user_usec') ?? 0,
    systemUsec: stat.get('system_usec') ?? 0,
    periods: stat.get('nr_periods') ?? 0,
    throttled: stat.get('nr_throttled') ?? 0,
    throttledUsec: stat.get('throttled_usec') ?? 0,
    ...(/^\d+$/.test(quota) && { quotaUsec: Number(quota) }),
    periodUsec: Number(period),
  }
}

/** Version 1 says "no limit" by the largest number of pages there is. */
const NO_LIMIT_BYTES = 2 ** 60

function memoryOfVersion1(read: Read): MemoryUsage {
  const max = count(read('memory.limit_in_bytes'))
  const oomKills = fields(read('memory.oom_control')).get('oom_kill') ?? 0
  return {
    currentBytes: count(read('memory.usage_in_bytes')),
    ...(max > 0 && max < NO_LIMIT_BYTES && { maxBytes: max }),
    inactiveFileBytes: fields(read('memory.stat')).get('total_inactive_file') ?? 0,
    ooms: oomKills,
    oomKills,
  }
}

function memoryOfVersion2(read: Read): MemoryUsage {
  const events = fields(read('memory.events'))
  const max = read('memory.max')?.trim() ?? 'max'
  return {
    currentBytes: count(read('memory.current')),
    ...(max !== 'max' && { maxBytes: Number(max) }),
    inactiveFileBytes: fields(read('memory.stat')).get('inactive_file') ?? 0,
    ooms: events.get('oom') ?? 0,
    oomKills: events.get('oom_kill') ?? 0,
  }
}

/** Lines as in `8:0 Read 4096`; kernels before 4.18 have no recursive ones. */
function ioOfVersion1(read: Read): IoUsage {
  const sum = (file: string) => {
    const text = read(`${file}_recursive`) ?? read(file) ?? ''
    const of = (operation: string) =>
      [...text.matchAll(new RegExp(`^\\d+:\\d+ ${operation} (\\d+)$`, 'gm'))].reduce((all, [, n]) => all + Number(n), 0)
    return { read: of('Read'), write: of('Write') }
  }
  const [bytes, ops] = [sum('blkio.throttle.io_service_bytes'), sum('blkio.throttle.io_serviced')]
  return { readBytes: bytes.read, writeBytes: bytes.write, readOps: ops.read, writeOps: ops.write }
}

/** Lines as in `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
function ioOfVersion2(read: Read): IoUsage {
  const text = read('io.stat') ?? ''
  const of = (key: string) =>
    [...text.matchAll(new RegExp(` ${key}=(\\d+)`, 'g'))].reduce((all, [, n]) => all + Number(n), 0)
  return { readBytes: of('rbytes'), writeBytes: of('wbytes'), readOps: of('rios'), writeOps: of('wios') }
}

function withMax(current: number, max: string | undefined): CgroupUsage['pids'] {
  const text = max?.trim() ?? 'max'
  return text === 'max' ? { current } : { current, max: Number(text) }
}

/** Lines as in `nr_periods 12`. */
function fields(text: string | undefined): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const line of text?.split('\n') ?? []) {
    const space = line.indexOf(' ')
    if (space > 0) found.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  return found
}

function count(text: string | undefined): number {
  return text === undefined ? 0 : Number(text)
}

function microseconds(ns: number): number {
  return Math.round(ns / 1000)
}
