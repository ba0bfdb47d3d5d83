import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from './errors.ts'
import { KeyedLock } from './keyed-lock.ts'
import { silentLogger } from './log.ts'

const ctx = { signal: new AbortController().signal, log: silentLogger }

test('holders of one key take turns in the order they came', async () => {
  const locks = new KeyedLock()
  const order: string[] = []
  const work = async (name: string) => {
    using _lock = await locks.hold(ctx, 'key')
    order.push(`${name} in`)
    await new Promise(setImmediate)
    order.push(`${name} out`)
  }
  await Promise.all([work('a'), work('b'), work('c')])
  assert.deepEqual(order, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
})

test('other keys do not wait', async () => {
  const locks = new KeyedLock()
  using _first = await locks.hold(ctx, 'one')
  using _second = await locks.hold(ctx, 'two')
})

test('who gives up while waiting leaves the queue whole', async () => {
  const locks = new KeyedLock()
  const first = await locks.hold(ctx, 'key')
  const leaving = new AbortController()
  const waiting = locks.hold({ ...ctx, signal: leaving.signal }, 'key')
  const third = locks.hold(ctx, 'key')
  leaving.abort()
  await assert.rejects(waiting, (error) => hasCode(error, 'cancelled'))
  let thirdIn = false
  void third.then(() => {
    thirdIn = true
  })
  await new Promise(setImmediate)
  assert.equal(thirdIn, false, 'the first still holds it')
  first[Symbol.dispose]()
  using _third = await third
})
