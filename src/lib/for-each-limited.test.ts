import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachLimited } from './for-each-limited.ts'

test('forEachLimited() works on every item, never on more than the limit', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  await forEachLimited(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
    most = Math.max(most, ++running)
    await new Promise(setImmediate)
    done.push(item)
    running--
  })
  assert.equal(most, 3)
  assert.deepEqual(done.sort(), [1, 2, 3, 4, 5, 6, 7])
})

test('forEachLimited() rejects with the first error, after what had begun has ended', async () => {
  const ended: number[] = []
  const work = forEachLimited(2, [1, 2, 3, 4], async (item) => {
    if (item === 1) throw new Error('one')
    await new Promise(setImmediate)
    ended.push(item)
  })
  await assert.rejects(work, /one/)
  assert.deepEqual(ended, [2])
})
