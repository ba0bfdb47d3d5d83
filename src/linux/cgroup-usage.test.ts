import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cgroupUsage } from './cgroup-usage.ts'

const NOTHING = {
  cpu: { usageUsec: 0, userUsec: 0, systemUsec: 0, periods: 0, throttled: 0, throttledUsec: 0, periodUsec: 0 },
  memory: { currentBytes: 0, inactiveFileBytes: 0, ooms: 0, oomKills: 0 },
  io: { readBytes: 0, writeBytes: 0, readOps: 0, writeOps: 0 },
  pids: { current: 0 },
}

/** A directory with these files, as the kernel would show them. */
function tree(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'condenser-cgroup-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

test('version 2 has all in one directory', (t) => {
  const mountPoint = tree(t, {
    'a/cpu.stat':
      'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnice_usec 0\nnr_periods 10\nnr_throttled 3\nthrottled_usec 77\n',
    'a/cpu.max': '50000 100000\n',
    'a/memory.current': '1048576\n',
    'a/memory.max': '67108864\n',
    'a/memory.stat': 'anon 4096\ninactive_file 8192\nactive_file 1\n',
    'a/memory.events': 'low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n',
    'a/io.stat':
      '8:0 rbytes=4096 wbytes=512 rios=2 wios=1 dbytes=0 dios=0\n7:0 \n253:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n',
    'a/pids.current': '7\n',
    'a/pids.max': '100\n',
    'b/cpu.stat': 'usage_usec 5\nuser_usec 5\nsystem_usec 0\n',
    'b/cpu.max': 'max 100000\n',
    'b/memory.max': 'max\n',
    'b/pids.max': 'max\n',
  })
  const hierarchies = [{ version: 2, mountPoint, controllers: [] }] as const
  assert.deepEqual(cgroupUsage('/a', hierarchies), {
    cpu: {
      usageUsec: 1500,
      userUsec: 1000,
      systemUsec: 500,
      periods: 10,
      throttled: 3,
      throttledUsec: 77,
      quotaUsec: 50_000,
      periodUsec: 100_000,
    },
    memory: { currentBytes: 1_048_576, maxBytes: 67_108_864, inactiveFileBytes: 8192, ooms: 2, oomKills: 1 },
    io: { readBytes: 4097, writeBytes: 514, readOps: 5, writeOps: 5 },
    pids: { current: 7, max: 100 },
  })
  const unlimited = { ...NOTHING, cpu: { ...NOTHING.cpu, usageUsec: 5, userUsec: 5, periodUsec: 100_000 } }
  assert.deepEqual(cgroupUsage('/b', hierarchies), unlimited)
  assert.equal(cgroupUsage('/gone', hierarchies), undefined)
})

test('version 1 has a hierarchy for each controller, with words of its own; the empty unified one counts nothing', (t) => {
  const root = tree(t, {
    'cpu/a/cpu.stat': 'nr_periods 22\nnr_throttled 9\nthrottled_time 223007999\nnr_bursts 0\n',
    'cpu/a/cpu.cfs_quota_us': '50000\n',
    'cpu/a/cpu.cfs_period_us': '100000\n',
    'cpu/a/cpuacct.usage': '905470123\n',
    'cpu/a/cpuacct.usage_user': '700000000\n',
    'memory/a/memory.usage_in_bytes': '503808\n',
    'memory/a/memory.limit_in_bytes': '67108864\n',
    'memory/a/memory.stat': 'cache 0\ninactive_file 1\ntotal_inactive_file 4096\n',
    'memory/a/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
    'blkio/a/blkio.throttle.io_service_bytes_recursive':
      '8:0 Read 4096\n8:0 Write 10\n8:0 Sync 5\n7:1 Read 4\nTotal 9\n',
    'blkio/a/blkio.throttle.io_serviced': '8:0 Read 2\n8:0 Write 1\nTotal 3\n',
    'pids/a/pids.current': '2\n',
    'pids/a/pids.max': 'max\n',
    'unified/a/cpu.stat': 'usage_usec 1\nuser_usec 1\nsystem_usec 0\n',
    'cpu/b/cpuacct.usage': '1000000\n',
    'cpu/b/cpuacct.usage_user': '2000000\n',
    'cpu/b/cpu.cfs_quota_us': '-1\n',
    'cpu/b/cpu.cfs_period_us': '100000\n',
    'memory/b/memory.limit_in_bytes': '9223372036854771712\n',
  })
  const v1 = (directory: string, ...controllers: string[]) =>
    ({ version: 1, mountPoint: join(root, directory), controllers }) as const
  const hierarchies = [
    v1('cpu', 'cpu', 'cpuacct'),
    v1('memory', 'memory'),
    v1('blkio', 'blkio'),
    v1('pids', 'pids'),
    { version: 2, mountPoint: join(root, 'unified'), controllers: [] } as const,
  ]
  assert.deepEqual(cgroupUsage('/a', hierarchies), {
    cpu: {
      usageUsec: 905_470,
      userUsec: 700_000,
      systemUsec: 205_470,
      periods: 22,
      throttled: 9,
      throttledUsec: 223_008,
      quotaUsec: 50_000,
      periodUsec: 100_000,
    },
    memory: { currentBytes: 503_808, maxBytes: 67_108_864, inactiveFileBytes: 4096, ooms: 3, oomKills: 3 },
    io: { readBytes: 4100, writeBytes: 10, readOps: 2, writeOps: 1 },
    pids: { current: 2 },
  })
  const sampled = { ...NOTHING.cpu, usageUsec: 1000, userUsec: 1000, periodUsec: 100_000 }
  assert.deepEqual(cgroupUsage('/b', hierarchies), { ...NOTHING, cpu: sampled })
  assert.equal(cgroupUsage('/gone', hierarchies), undefined)
})
