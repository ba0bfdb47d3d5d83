import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CpuHistory } from './cpu-history.ts'

test('the first look measures from the start, the next ones from the look before', () => {
  const history = new CpuHistory(1000)
  assert.deepEqual(history.look({ at: 11_000, usageUsec: 5_000_000 }), { cores: 0.5, overMs: 10_000 })
  assert.deepEqual(history.look({ at: 12_000, usageUsec: 7_000_000 }), { cores: 2, overMs: 1000 })
  assert.deepEqual(history.look({ at: 14_000, usageUsec: 7_000_000 }), { cores: 0, overMs: 2000 })
})

test('looks of several at the same time do not shorten the time that is measured', () => {
  const history = new CpuHistory(0)
  history.look({ at: 1000, usageUsec: 0 })
  history.look({ at: 2000, usageUsec: 1_000_000 })
  for (const at of [2001, 2002, 2100, 2499]) {
    assert.equal(history.look({ at, usageUsec: 1_000_000 }).overMs, at - 1000)
  }
  assert.equal(history.look({ at: 2500, usageUsec: 1_000_000 }).overMs, 500)
})

test('a container that has only just begun has a load too, and a clock that goes back none', () => {
  assert.deepEqual(new CpuHistory(1000).look({ at: 1010, usageUsec: 10_000 }), { cores: 1, overMs: 10 })
  assert.deepEqual(new CpuHistory(1000).look({ at: 900, usageUsec: 10_000 }), { cores: 0, overMs: 0 })
})
