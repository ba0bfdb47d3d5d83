import { readdir, readFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Metric, single } from './exposition.ts'

/** Of this process, by the names that all programs use, and of its event loop. */
export async function daemonMetrics(): Promise<Metric[]> {
  const asked = performance.now()
  await nextTurn()
  const lagSeconds = (performance.now() - asked) / 1000
  const [fds, limits] = await Promise.all([readdir('/proc/self/fd'), readFile('/proc/self/limits', 'utf8')])
  const { user, system } = process.cpuUsage()
  const { idle, active } = performance.eventLoopUtilization()
  const maxFds = /^Max open files +(\d+)/m.exec(limits)?.[1]
  return [
    single('counter', 'process_cpu_seconds_total', 'Processor time of the daemon, all threads.', (user + system) / 1e6),
    single('gauge', 'process_resident_memory_bytes', 'Resident memory of the daemon.', process.memoryUsage.rss()),
    single(
      'gauge',
      'process_start_time_seconds',
      'When the daemon was started, since the epoch.',
      performance.timeOrigin / 1000,
    ),
    // Less the one that reads the directory.
    single('gauge', 'process_open_fds', 'Open file descriptors of the daemon.', fds.length - 1),
    ...(maxFds === undefined
      ? []
      : [single('gauge', 'process_max_fds', 'File descriptors that it may open.', Number(maxFds))]),
    // Counted by the loop itself: a timer that measured the lag all the time would wake the daemon all the time.
    single(
      'counter',
      'condenser_event_loop_active_seconds_total',
      'Time in which the event loop worked.',
      active / 1000,
    ),
    single('counter', 'condenser_event_loop_idle_seconds_total', 'Time in which the event loop waited.', idle / 1000),
    single(
      'gauge',
      'condenser_event_loop_lag_seconds',
      'How long this scrape waited for its turn of the event loop.',
      lagSeconds,
    ),
  ]
}
