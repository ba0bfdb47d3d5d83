import { array, boolean, object, optional, string } from '../../lib/schema.ts'
import type { ContainerState } from '../../model/container.ts'
import type { Labels } from '../../model/meta.ts'

/** What a container uses. The keys down to `memory_oom_kill` are the contract's; the others are ours. */
export interface WireStats {
  /** Empty, and all numbers below 0, if it has no process. */
  readonly generated_ts: string
  readonly container_id: string
  readonly container_name: string
  readonly pod_id: string
  readonly spiffe_id: string
  readonly pid: number
  readonly status: ContainerState
  /** From the root of each hierarchy. */
  readonly cgroup_path: string
  readonly exit_code: number
  readonly reason: string
  readonly message: string
  readonly log_path: string
  readonly image_repository: string
  readonly image_reference: string
  readonly command: readonly string[] | null
  readonly creating_at: string
  readonly created_at: string
  readonly started_at: string
  readonly stopped_at: string
  readonly finished_at: string
  readonly labels: Labels | null
  readonly annotations: Labels | null
  readonly attempt: number
  readonly tty: boolean

  readonly cpu_usage_usec: number
  readonly cpu_user_usec: number
  readonly cpu_system_usec: number
  readonly cpu_nr_periods: number
  readonly cpu_nr_throttled: number
  readonly cpu_throttled_usec: number
  /** 0 if unlimited. */
  readonly cpu_quota_usec: number
  readonly cpu_period_usec: number
  readonly cpu_unlimited: boolean
  /** Of its quota; of all processors if it has none. */
  readonly cpu_percent: number
  readonly memory_current_bytes: number
  /** Null: unlimited. */
  readonly memory_max_bytes: number | null
  readonly memory_limited: boolean
  /** Of its limit; 0 if it has none. */
  readonly memory_percent: number
  readonly io_read_bytes: number
  readonly io_write_bytes: number
  readonly io_read_ops: number
  readonly io_write_ops: number
  readonly memory_oom: number
  readonly memory_oom_kill: number

  /** Processors in use, as in 1.5, and the time over which that was measured. */
  readonly cpu_cores: number
  readonly cpu_interval_usec: number
  /** Without the pages of files that nobody has touched lately. */
  readonly memory_working_set_bytes: number
  /** What bounds it in the end: its limit, or the host's memory. */
  readonly memory_bound_bytes: number
  /** Processes and threads. */
  readonly pids_current: number
  /** Null: unlimited. */
  readonly pids_max: number | null
  /** Null for a container in the host's network, or in none. */
  readonly networks: readonly WireLinkStats[] | null
}

/** As the container sees it. */
export interface WireLinkStats {
  readonly interface: string
  readonly rx_bytes: number
  readonly rx_packets: number
  readonly rx_errors: number
  readonly rx_dropped: number
  readonly tx_bytes: number
  readonly tx_packets: number
  readonly tx_errors: number
  readonly tx_dropped: number
}

/** With `stream` as NDJSON, a line a second. */
export const statsQuery = object({ stream: optional(boolean()) })
export const allStatsQuery = object({
  stream: optional(boolean()),
  /** These only, whether they run or not. */
  container: optional(array(string({ minLength: 1, maxLength: 256 }), { maxItems: 4096 })),
})
