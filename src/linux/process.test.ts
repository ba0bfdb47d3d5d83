import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProcessStat, processStat } from './process.ts'

test('a process name with spaces and parentheses does not shift the fields', () => {
  const text = '42 (a) S (b) S 7 42 43 0 -1 4194560 88 0 0 0 0 0 0 0 20 0 1 0 129346 2322432 332'
  assert.deepEqual(parseProcessStat(text), { parent: 7, session: 43, startTime: 129346, isZombie: false })
})

test('the own process is found, one that cannot be is not', () => {
  assert.equal(processStat(process.pid)?.parent, process.ppid)
  assert.equal(processStat(2 ** 22 + 1), undefined)
})
