import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limiter } from '../lib/limiter.ts'
import { silentLogger } from '../lib/log.ts'
import { allOrNone } from './all-or-none.ts'

const ctx = { signal: new AbortController().signal, log: silentLogger }

test('the first failure stops the others and is thrown when all have ended', async () => {
  const ended: string[] = []
  const failing = allOrNone(ctx, function* (inner) {
    yield Promise.reject(new Error('first'))
    yield new Promise<void>((_resolve, reject) => {
      inner.signal.addEventListener('abort', () => {
        setImmediate(() => {
          ended.push('second')
          reject(new Error('stopped'))
        })
      })
    })
  })
  await assert.rejects(failing, /first/)
  assert.deepEqual(ended, ['second'])
})

test('a limiter runs as many as it may, in order, whether they fail or not', async () => {
  const limited = limiter(2)
  const log: string[] = []
  let running = 0
  const work = (name: string) =>
    limited(async () => {
      log.push(name)
      assert.ok(++running <= 2)
      await new Promise(setImmediate)
      running--
      if (name === 'b') throw new Error(name)
    })
  const results = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(work))
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  )
  assert.deepEqual(log, ['a', 'b', 'c', 'd', 'e'])
})
