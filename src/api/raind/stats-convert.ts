import type { ContainerStats } from '../../containers/index.ts'
import { cgroupPath, containerState, isAlive, isOfPod } from '../../model/container.ts'
import { shortId } from '../../model/names.ts'
import { orNull, wireTime, withSlash } from './convert.ts'
import type { WireLinkStats, WireStats } from './stats-types.ts'

/** Of the host: what bounds a container without limits. */
export interface HostSize {
  readonly cpus: number
  readonly memoryBytes: number
}

const NO_USAGE = {
  cpu: { usageUsec: 0, userUsec: 0, systemUsec: 0, periods: 0, throttled: 0, throttledUsec: 0, periodUsec: 0 },
  memory: { currentBytes: 0, inactiveFileBytes: 0, ooms: 0, oomKills: 0 },
  io: { readBytes: 0, writeBytes: 0, readOps: 0, writeOps: 0 },
  pids: { current: 0 },
  links: [],
  load: { cores: 0, overMs: 0 },
} satisfies Omit<NonNullable<ContainerStats['usage']>, 'takenAt'>

type Used = Omit<NonNullable<ContainerStats['usage']>, 'takenAt'>

export function wireStats({ container, logFile, usage }: ContainerStats, host: HostSize): WireStats {
  const { metadata, spec, status } = container
  const alive = isAlive(status)
  return {
    generated_ts: usage === undefined ? '' : wireTime(Math.round(usage.takenAt)),
    container_id: shortId(metadata.uid),
    container_name: metadata.name,
    pod_id: isOfPod(container) ? container.metadata.owner!.uid : '',
    spiffe_id: '',
    pid: alive ? status.pid! : 0,
    status: containerState(status),
    cgroup_path: cgroupPath(container),
    exit_code: status.exitCode ?? 0,
    reason: status.reason ?? '',
    message: status.message ?? '',
    log_path: logFile,
    image_repository: withSlash(spec.imageRepository),
    image_reference: spec.imageReference,
    command: orNull(spec.args),
    creating_at: wireTime(metadata.createdAt),
    created_at: wireTime(status.preparedAt),
    started_at: wireTime(status.startedAt),
    stopped_at: wireTime(alive ? undefined : status.finishedAt),
    finished_at: wireTime(alive ? undefined : status.finishedAt),
    labels: Object.keys(metadata.labels).length > 0 ? metadata.labels : null,
    annotations: Object.keys(metadata.annotations).length > 0 ? metadata.annotations : null,
    attempt: 0,
    tty: spec.tty,
    ...cpuStats(usage ?? NO_USAGE, host),
    ...memoryStats(usage ?? NO_USAGE, host),
    ...otherStats(usage ?? NO_USAGE),
  }
}

function cpuStats({ cpu, load }: Used, { cpus }: HostSize) {
  const bound = cpu.quotaUsec === undefined || cpu.periodUsec === 0 ? cpus : cpu.quotaUsec / cpu.periodUsec
  return {
    cpu_usage_usec: cpu.usageUsec,
    cpu_user_usec: cpu.userUsec,
    cpu_system_usec: cpu.systemUsec,
    cpu_nr_periods: cpu.periods,
    cpu_nr_throttled: cpu.throttled,
    cpu_throttled_usec: cpu.throttledUsec,
    cpu_quota_usec: cpu.quotaUsec ?? 0,
    cpu_period_usec: cpu.periodUsec,
    cpu_unlimited: cpu.quotaUsec === undefined,
    cpu_percent: rounded((load.cores / bound) * 100),
    cpu_cores: rounded(load.cores),
    cpu_interval_usec: Math.round(load.overMs * 1000),
  }
}

function memoryStats({ memory }: Used, { memoryBytes }: HostSize) {
  const { currentBytes, maxBytes, inactiveFileBytes } = memory
  return {
    memory_current_bytes: currentBytes,
    memory_max_bytes: maxBytes ?? null,
    memory_limited: maxBytes !== undefined,
    memory_percent: maxBytes ? rounded((currentBytes / maxBytes) * 100) : 0,
    memory_oom: memory.ooms,
    memory_oom_kill: memory.oomKills,
    memory_working_set_bytes: Math.max(0, currentBytes - inactiveFileBytes),
    memory_bound_bytes: Math.min(maxBytes ?? memoryBytes, memoryBytes),
  }
}

function otherStats({ io, pids, links }: Used) {
  return {
    io_read_bytes: io.readBytes,
    io_write_bytes: io.writeBytes,
    io_read_ops: io.readOps,
    io_write_ops: io.writeOps,
    pids_current: pids.current,
    pids_max: pids.max ?? null,
    networks: orNull(links.map(linkStats)) as WireLinkStats[] | null,
  }
}

function linkStats(link: Used['links'][number]): WireLinkStats {
  return {
    interface: link.name,
    rx_bytes: link.rxBytes,
    rx_packets: link.rxPackets,
    rx_errors: link.rxErrors,
    rx_dropped: link.rxDropped,
    tx_bytes: link.txBytes,
    tx_packets: link.txPackets,
    tx_errors: link.txErrors,
    tx_dropped: link.txDropped,
  }
}

/** To six digits behind the point. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
