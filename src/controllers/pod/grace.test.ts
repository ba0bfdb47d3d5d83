import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Grace } from './grace.ts'

test('a grace ends when its time is up', async () => {
  using grace = new Grace(5)
  assert.deepEqual([grace.signal.aborted, grace.isNone], [false, false])
  await grace.ended
  assert.deepEqual([grace.signal.aborted, grace.isNone, grace.leftMs], [true, false, 0])
})

test('a grace can become shorter, and not longer', async () => {
  using grace = new Grace(1e12)
  grace.shorten(2e12)
  assert.ok(grace.leftMs <= 1e12)
  grace.shorten(1)
  grace.shorten(1e12)
  await grace.ended
  assert.equal(grace.isNone, false)
})

test('no grace is over at once, also if that is said later', () => {
  using none = new Grace(0)
  using grace = new Grace(60_000)
  grace.shorten(0)
  for (const { signal, isNone, leftMs } of [none, grace]) {
    assert.deepEqual([signal.aborted, isNone, leftMs], [true, true, 0])
  }
})

test('one that is disposed of says so, and does not end any more', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const gone: Grace[] = []
  const grace = new Grace(10, (done) => gone.push(done))
  grace[Symbol.dispose]()
  t.mock.timers.tick(1000)
  assert.deepEqual(gone, [grace])
  assert.equal(grace.signal.aborted, false)
})
