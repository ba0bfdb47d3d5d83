import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleMeta } from '../../../test/fixtures/pod-example.ts'
import { PLAIN_CONTAINER } from '../../../test/support/container-spec.ts'
import type { Container } from '../../model/container.ts'
import { wireStats } from './stats-convert.ts'

const T0 = Date.UTC(2026, 1, 3, 4, 5, 6, 789)
const uid = '0123456789ab'.padEnd(64, 'c')
const NO_TIME = '0001-01-01T00:00:00Z'
const host = { cpus: 4, memoryBytes: 8e9 }
const logFile = '/log'

const container: Container = {
  metadata: exampleMeta({ uid, labels: { tier: 'x' }, createdAt: T0 }),
  spec: { ...PLAIN_CONTAINER, imageRepository: 'nginx', args: ['nginx'], cgroupParent: '/condenser' },
  status: { restartCount: 0, preparedAt: T0 + 1, startedAt: T0 + 2, pid: 4711 },
}

const usage = {
  takenAt: T0 + 1000.25,
  cpu: {
    usageUsec: 2_000_000,
    userUsec: 1_500_000,
    systemUsec: 500_000,
    periods: 10,
    throttled: 2,
    throttledUsec: 300,
    quotaUsec: 50_000,
    periodUsec: 100_000,
  },
  memory: { currentBytes: 100, maxBytes: 400, inactiveFileBytes: 30, ooms: 2, oomKills: 1 },
  io: { readBytes: 1, writeBytes: 2, readOps: 3, writeOps: 4 },
  pids: { current: 5, max: 10 },
  links: [
    {
      name: 'eth0',
      rxBytes: 1,
      rxPackets: 2,
      rxErrors: 3,
      rxDropped: 4,
      txBytes: 5,
      txPackets: 6,
      txErrors: 7,
      txDropped: 8,
    },
  ],
  load: { cores: 0.25, overMs: 1000.5 },
}

const facts = {
  container_id: '0123456789ab',
  container_name: 'web',
  pod_id: '',
  spiffe_id: '',
  cgroup_path: `/condenser/${uid}`,
  reason: '',
  message: '',
  log_path: '/log',
  image_repository: 'library/nginx',
  image_reference: 'latest',
  command: ['nginx'],
  creating_at: '2026-02-03T04:05:06.789Z',
  created_at: '2026-02-03T04:05:06.790Z',
  labels: { tier: 'x' },
  annotations: null,
  attempt: 0,
  tty: false,
}

test('wireStats(): golden, while it runs', () => {
  assert.deepEqual(wireStats({ container, logFile, usage }, host), {
    ...facts,
    generated_ts: '2026-02-03T04:05:07.789Z',
    pid: 4711,
    status: 'running',
    exit_code: 0,
    started_at: '2026-02-03T04:05:06.791Z',
    stopped_at: NO_TIME,
    finished_at: NO_TIME,
    cpu_usage_usec: 2_000_000,
    cpu_user_usec: 1_500_000,
    cpu_system_usec: 500_000,
    cpu_nr_periods: 10,
    cpu_nr_throttled: 2,
    cpu_throttled_usec: 300,
    cpu_quota_usec: 50_000,
    cpu_period_usec: 100_000,
    cpu_unlimited: false,
    cpu_percent: 50,
    cpu_cores: 0.25,
    cpu_interval_usec: 1_000_500,
    memory_current_bytes: 100,
    memory_max_bytes: 400,
    memory_limited: true,
    memory_percent: 25,
    memory_working_set_bytes: 70,
    memory_bound_bytes: 400,
    memory_oom: 2,
    memory_oom_kill: 1,
    io_read_bytes: 1,
    io_write_bytes: 2,
    io_read_ops: 3,
    io_write_ops: 4,
    pids_current: 5,
    pids_max: 10,
    networks: [
      {
        interface: 'eth0',
        rx_bytes: 1,
        rx_packets: 2,
        rx_errors: 3,
        rx_dropped: 4,
        tx_bytes: 5,
        tx_packets: 6,
        tx_errors: 7,
        tx_dropped: 8,
      },
    ],
  })
})

test('wireStats(): golden, of one that has no process', () => {
  const status = { restartCount: 0, preparedAt: T0 + 1, startedAt: T0 + 2, finishedAt: T0 + 3, exitCode: 7 }
  assert.deepEqual(wireStats({ container: { ...container, status }, logFile }, host), {
    ...facts,
    generated_ts: '',
    pid: 0,
    status: 'stopped',
    exit_code: 7,
    started_at: '2026-02-03T04:05:06.791Z',
    stopped_at: '2026-02-03T04:05:06.792Z',
    finished_at: '2026-02-03T04:05:06.792Z',
    cpu_usage_usec: 0,
    cpu_user_usec: 0,
    cpu_system_usec: 0,
    cpu_nr_periods: 0,
    cpu_nr_throttled: 0,
    cpu_throttled_usec: 0,
    cpu_quota_usec: 0,
    cpu_period_usec: 0,
    cpu_unlimited: true,
    cpu_percent: 0,
    cpu_cores: 0,
    cpu_interval_usec: 0,
    memory_current_bytes: 0,
    memory_max_bytes: null,
    memory_limited: false,
    memory_percent: 0,
    memory_working_set_bytes: 0,
    memory_bound_bytes: 8e9,
    memory_oom: 0,
    memory_oom_kill: 0,
    io_read_bytes: 0,
    io_write_bytes: 0,
    io_read_ops: 0,
    io_write_ops: 0,
    pids_current: 0,
    pids_max: null,
    networks: null,
  })
})

test('wireStats(): without limits, the percentages are of all processors, and of no memory', () => {
  const { quotaUsec: _quota, ...cpu } = usage.cpu
  const { maxBytes: _max, ...memory } = usage.memory
  const unlimited = { ...usage, cpu, memory, load: { cores: 3, overMs: 1000 } }
  const wire = wireStats({ container, logFile, usage: unlimited }, host)
  assert.deepEqual(
    [wire.cpu_unlimited, wire.cpu_quota_usec, wire.cpu_percent, wire.memory_max_bytes, wire.memory_percent],
    [true, 0, 75, null, 0],
  )
})
