import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turn } from './turn.ts'

test('work that waits for nothing gives others their turn', async () => {
  const turn = new Turn()
  let turnsOfOthers = 0
  const others = setInterval(() => turnsOfOthers++, 0)
  for (let count = 0; count < 20; count++) {
    await turn.take()
    const until = performance.now() + 11
    while (performance.now() < until);
  }
  clearInterval(others)
  assert.ok(turnsOfOthers >= 10, String(turnsOfOthers))
})

test('what is short goes on in the same turn', async () => {
  const turn = new Turn()
  let isSame = true
  setImmediate(() => {
    isSame = false
  })
  for (let count = 0; count < 5; count++) await turn.take()
  assert.ok(isSame)
})
