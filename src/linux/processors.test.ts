import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { idleProcessors, idleShare, processorTimes } from './processors.ts'

test('processorTimes() reads what the kernel tells of each processor', () => {
  const text = 'cpu  30 0 6 70 2 0 0 0 0 0\ncpu0 10 0 2 40 1 0 0 0 0 0\ncpu1 20 0 4 30 1 0 0 0 0 0\nintr 12 3\n'
  assert.deepEqual(processorTimes(text), [
    [10, 0, 2, 40, 1, 0, 0, 0, 0, 0],
    [20, 0, 4, 30, 1, 0, 0, 0, 0, 0],
  ])
  assert.ok(processorTimes(readFileSync('/proc/stat', 'utf8')).length >= availableParallelism())
})

test('idleShare() counts waiting for a disk as idle, and guests once', () => {
  const before = [100, 0, 100, 100, 0, 0, 0, 0, 50, 0]
  assert.equal(idleShare(before, [110, 0, 120, 160, 10, 0, 0, 0, 60, 0]), 0.7)
  assert.equal(idleShare(before, before), 0)
})

test('idleProcessors() is never more than there are', () => {
  assert.equal(idleProcessors(), 0)
  const idle = idleProcessors()
  assert.ok(idle >= 0 && idle <= processorTimes(readFileSync('/proc/stat', 'utf8')).length)
})
