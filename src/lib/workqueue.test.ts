import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { eventually } from '../../test/support/eventually.ts'
import { Workqueue } from './workqueue.ts'

test('keys come first in, first out, and once however often they were added', async () => {
  const queue = new Workqueue()
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
  assert.deepEqual([await queue.next(), await queue.next(), await queue.next()], ['a', 'b', 'c'])
})

test('a key that is to come again in years does not come at once', async (t) => {
  const queue = new Workqueue()
  t.after(() => queue.close())
  queue.add('a')
  queue.done((await queue.next())!, 2 ** 31 * 1000)
  const next = queue.next()
  assert.equal(await Promise.race([next, sleep(20, 'nothing')]), 'nothing')
  queue.add('a')
  assert.equal(await next, 'a')
})

test('a key added while it is worked on comes again, not at the same time', async () => {
  const queue = new Workqueue()
  queue.add('a')
  await queue.next()
  queue.add('a')
  const second = queue.next()
  assert.equal(await Promise.race([second, turn('nothing')]), 'nothing')
  queue.done('a')
  assert.equal(await second, 'a')
})

test('a delay is cut short by an add, and then does not come on top', async () => {
  const queue = new Workqueue()
  queue.add('a')
  await queue.next()
  queue.done('a', 3_600_000)
  queue.add('a')
  assert.equal(await queue.next(), 'a')
  queue.done('a', 1)
  assert.equal(await queue.next(), 'a')
  queue.close()
})

test('failures are tried again with growing delays, and forgotten after a success', async () => {
  const queue = new Workqueue({ firstMs: 1, maxMs: 4, jitter: 0 })
  const fail = async () => queue.failed((await queue.next())!)
  queue.add('a')
  assert.deepEqual([await fail(), await fail(), await fail(), await fail()], [1, 2, 4, 4])
  queue.done((await queue.next())!)
  queue.add('a')
  assert.equal(await fail(), 1)
  queue.close()
})

test('what failed and is added comes sooner than it would, and not at once', async () => {
  const queue = new Workqueue({ firstMs: 3_600_000, maxMs: 3_600_000, jitter: 0 })
  queue.add('a')
  await queue.next()
  queue.add('a')
  queue.failed('a')
  queue.add('a')
  const next = queue.next()
  assert.equal(await Promise.race([next, turn('nothing')]), 'nothing')
  assert.equal(await next, 'a')
  queue.close()
})

test('close lets waiting workers go and drops what is queued', async () => {
  const queue = new Workqueue()
  const waiting = queue.next()
  queue.close()
  queue.add('a')
  assert.equal(await waiting, undefined)
  assert.equal(await queue.next(), undefined)
})

test('a key that is not worked on cannot be finished', () => {
  assert.throws(() => new Workqueue().done('a'), /not being worked on/)
})

test('property: never two at once on a key, and the last work on each key begins after its last add', async () => {
  const add = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), turns: fc.nat({ max: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(add, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), async (adds, workers) => {
      const queue = new Workqueue({ firstMs: 1, maxMs: 1, jitter: 0 })
      let clock = 0
      const busy = new Set<string>()
      const added = new Map<string, number>()
      const begun = new Map<string, number>()
      const work = async () => {
        for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
          assert.ok(!busy.has(key))
          busy.add(key)
          begun.set(key, ++clock)
          await turn()
          busy.delete(key)
          if (clock % 5 === 0) queue.failed(key)
          else queue.done(key)
        }
      }
      const running = Array.from({ length: workers }, work)
      for (const { key, turns } of adds) {
        added.set(key, ++clock)
        queue.add(key)
        for (let i = 0; i < turns; i++) await turn()
      }
      const settled = () => busy.size === 0 && [...added].every(([key, at]) => (begun.get(key) ?? 0) > at)
      await eventually(settled, Boolean, 0)
      queue.close()
      await Promise.all(running)
    }),
    { numRuns: 100 },
  )
})
