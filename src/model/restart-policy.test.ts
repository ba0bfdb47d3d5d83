import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PLAIN_CONTAINER } from '../../test/support/container-spec.ts'
import type { ContainerSpec, ContainerStatus } from './container.ts'
import { parseRestartPolicy, restartAfter, restartDueInMs, startsWithDaemon } from './restart-policy.ts'

const T0 = 1_700_000_000_000
const container = (restart: string, status: Partial<ContainerStatus> = {}, spec: Partial<ContainerSpec> = {}) => ({
  spec: { ...PLAIN_CONTAINER, restart: parseRestartPolicy(restart), ...spec },
  status: { restartCount: 0, ...status },
})

test('parseRestartPolicy()', () => {
  assert.deepEqual(parseRestartPolicy('no'), { name: 'no' })
  assert.deepEqual(parseRestartPolicy('on-failure:3'), { name: 'on-failure', maxRetries: 3 })
  assert.deepEqual(parseRestartPolicy('on-failure:0'), { name: 'on-failure' })
  for (const text of ['', 'sometimes', 'always:3', 'on-failure:', 'on-failure:x', 'on-failure:-1', 'ALWAYS', ' no'])
    assert.throws(() => parseRestartPolicy(text), { code: 'invalid_argument', message: /one of no, on-failure/ }, text)
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseRestartPolicy(text)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'invalid_argument')
      }
    }),
  )
})

test('who is restarted after an end', () => {
  const isRestarted = (restart: string, exitCode: number, status: Partial<ContainerStatus> = {}) =>
    restartAfter(container(restart, status), { exitCode, finishedAt: T0 }).nextRestartAt !== undefined
  for (const [restart, exitCode, status, expected] of [
    ['no', 1, {}, false],
    ['always', 0, {}, true],
    ['unless-stopped', 0, {}, true],
    ['on-failure', 0, {}, false],
    ['on-failure', 1, {}, true],
    ['on-failure:2', 1, { restartCount: 1 }, true],
    ['on-failure:2', 1, { restartCount: 2 }, false],
    ['always', 1, { stopRequestedAt: T0 }, false],
    ['always', 1, { removingAt: T0 }, false],
    ['always', 1, { restartCount: 1000 }, true],
  ] as const)
    assert.equal(isRestarted(restart, exitCode, status), expected, `${restart} ${exitCode} ${JSON.stringify(status)}`)
})

test('the delay doubles up to a minute, and begins anew after 10 s of running', () => {
  let status: Partial<ContainerStatus> = {}
  const delays = Array.from({ length: 12 }, () => {
    const due = restartAfter(container('always', { ...status, startedAt: T0 - 9_999 }), { exitCode: 1, finishedAt: T0 })
    assert.equal(due.nextRestartAt, T0 + due.restartDelayMs!)
    status = { restartDelayMs: due.restartDelayMs! }
    return due.restartDelayMs
  })
  assert.deepEqual(delays.slice(0, 4), [100, 200, 400, 800])
  assert.deepEqual(delays.slice(-2), [60_000, 60_000])
  const after = restartAfter(container('always', { ...status, startedAt: T0 - 10_000 }), {
    exitCode: 1,
    finishedAt: T0,
  })
  assert.equal(after.restartDelayMs, 100)
})

test('restartDueInMs() is never long, whatever the clock says', () => {
  assert.equal(restartDueInMs({ restartCount: 0 }, T0), undefined)
  assert.equal(restartDueInMs({ restartCount: 0, nextRestartAt: T0 + 5 }, T0), 5)
  assert.equal(restartDueInMs({ restartCount: 0, nextRestartAt: T0 - 5 }, T0), 0)
  assert.equal(restartDueInMs({ restartCount: 0, nextRestartAt: T0 + 9e9 }, T0), 60_000)
})

test('who is started with the daemon', () => {
  const ended = { finishedAt: T0, reason: 'Error' }
  for (const [restart, status, expected] of [
    ['always', ended, true],
    ['always', { ...ended, stopRequestedAt: T0 }, true],
    ['unless-stopped', ended, true],
    ['unless-stopped', { ...ended, stopRequestedAt: T0 }, false],
    ['on-failure', ended, false],
    ['no', ended, false],
    ['always', {}, false],
    ['always', { ...ended, reason: 'StartError' }, false],
    ['always', { ...ended, pid: 7 }, false],
    ['always', { ...ended, removingAt: T0 }, false],
    ['always', { ...ended, nextRestartAt: T0 }, false],
  ] as const)
    assert.equal(startsWithDaemon(container(restart, status)), expected, `${restart} ${JSON.stringify(status)}`)
})
