import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSignal } from './signal.ts'

test('a signal is known by its name, with or without SIG, in either case, and by its number', () => {
  for (const text of ['SIGTERM', 'TERM', 'term', 'sigterm', '15']) assert.equal(parseSignal(text), 15)
  assert.equal(parseSignal('KILL'), 9)
  assert.equal(parseSignal('64'), 64)
})

test('real-time signals count from either end', () => {
  assert.equal(parseSignal('SIGRTMIN'), 34)
  assert.equal(parseSignal('RTMIN+3'), 37)
  assert.equal(parseSignal('RTMAX-1'), 63)
  assert.equal(parseSignal('SIGRTMAX'), 64)
})

test('anything else is refused', () => {
  for (const text of ['', '0', '65', '-1', '1.5', 'SIG', 'NOPE', 'RTMIN-1', 'RTMAX+1', 'RTMIN+31', '015x', '9 ']) {
    assert.throws(() => parseSignal(text), { code: 'invalid_argument' }, text)
  }
})
