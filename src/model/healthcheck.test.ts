import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HealthStatus, healthAfter, planHealthcheck, probeArgs, probeIntervalMs } from './healthcheck.ts'

const image = { test: ['CMD-SHELL', 'curl -f localhost'], intervalMs: 5_000, retries: 5 }
const defaults = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0, startIntervalMs: 5_000 }

test('planHealthcheck(): the request over the image over the defaults', () => {
  assert.equal(planHealthcheck(undefined, undefined), undefined)
  assert.deepEqual(planHealthcheck(undefined, image), { ...defaults, ...image })
  assert.deepEqual(planHealthcheck({ timeoutMs: 7 }, image), { ...defaults, ...image, timeoutMs: 7 })
  assert.deepEqual(planHealthcheck({ test: ['CMD', 'true'] }, image), { ...defaults, ...image, test: ['CMD', 'true'] })
  assert.deepEqual(planHealthcheck({ test: ['CMD', 'true'] }, undefined), { ...defaults, test: ['CMD', 'true'] })
  assert.equal(planHealthcheck({ test: ['NONE'] }, image), undefined)
  assert.equal(planHealthcheck({ test: [] }, { test: ['NONE'] }), undefined)
  for (const asked of [
    { test: ['true'] },
    { test: ['CMD'] },
    { test: ['CMD-SHELL', 'a', 'b'] },
    { test: ['NONE', 'x'] },
  ])
    assert.throws(() => planHealthcheck(asked, undefined), { code: 'invalid_argument', message: /the test is/ })
  assert.throws(() => planHealthcheck({ retries: 2 }, undefined), { code: 'invalid_argument', message: /what to run/ })
})

test('probeArgs()', () => {
  assert.deepEqual(probeArgs({ ...defaults, test: ['CMD', 'a', 'b'] }), ['a', 'b'])
  assert.deepEqual(probeArgs({ ...defaults, test: ['CMD-SHELL', 'a b'] }), ['/bin/sh', '-c', 'a b'])
})

test('healthAfter(): as docker counts', () => {
  const check = { ...defaults, test: ['CMD', 'x'], startPeriodMs: 1000, retries: 2 }
  const after = (status: HealthStatus, failingStreak: number, exitCode: number, sinceStartMs: number) => {
    const next = healthAfter(check, { status, failingStreak }, { exitCode, sinceStartMs })
    return [next.status, next.failingStreak]
  }
  assert.deepEqual(after('starting', 0, 1, 999), ['starting', 0], 'does not count in the start period')
  assert.deepEqual(after('starting', 0, 1, 1000), ['starting', 1])
  assert.deepEqual(after('starting', 1, 1, 1000), ['unhealthy', 2])
  assert.deepEqual(after('starting', 1, 0, 10), ['healthy', 0])
  assert.deepEqual(after('healthy', 0, 1, 10), ['healthy', 1], 'counts once it was healthy')
  assert.deepEqual(after('healthy', 1, -1, 10), ['unhealthy', 2])
  assert.deepEqual(after('unhealthy', 7, 1, 5000), ['unhealthy', 8])
  assert.deepEqual(after('unhealthy', 7, 0, 5000), ['healthy', 0])
})

test('probeIntervalMs(): another one until the first success, in the start period', () => {
  const check = { ...defaults, test: ['CMD', 'x'], startPeriodMs: 1000 }
  assert.equal(probeIntervalMs(check, 'starting', 999), 5_000)
  assert.equal(probeIntervalMs(check, 'starting', 1000), 30_000)
  assert.equal(probeIntervalMs(check, 'healthy', 0), 30_000)
})
