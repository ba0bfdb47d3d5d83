import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../lib/log.ts'
import { Operations } from './operations.ts'

const nothing = async () => {}
const ctx = { signal: new AbortController().signal, log: silentLogger }

test('work of the same key is done once while it runs, and again afterwards', async () => {
  await using operations = new Operations()
  let runs = 0
  const run = async () => {
    runs++
  }
  const first = operations.start('k', run, nothing)
  assert.equal(operations.start('k', run, nothing), first)
  assert.notEqual(operations.start('other', run, nothing), first)
  assert.notEqual(operations.start(undefined, run, nothing), operations.start(undefined, run, nothing))
  for await (const _ of first.follow(ctx));
  assert.notEqual(operations.start('k', run, nothing), first)
  assert.equal(runs, 5)
})

test('disposal waits for what runs, and a failure is told to followers only', async () => {
  const operations = new Operations()
  const { promise, resolve } = Promise.withResolvers<void>()
  let ended = false
  const feed = operations.start(
    'k',
    async () => {
      await promise
      ended = true
      throw new Error('no')
    },
    () => assert.fail('there is no afterwards to a failure'),
  )
  setImmediate(resolve)
  await operations[Symbol.asyncDispose]()
  assert.equal(ended, true)
  await assert.rejects(feed.follow(ctx).next(), /no/)
})

test('what comes afterwards keeps nobody waiting, but disposal', async () => {
  const operations = new Operations()
  const { promise, resolve } = Promise.withResolvers<void>()
  let ended = false
  const feed = operations.start('k', nothing, async () => {
    await promise
    ended = true
  })
  for await (const _ of feed.follow(ctx));
  assert.notEqual(operations.start('k', nothing, nothing), feed)
  assert.equal(ended, false)
  resolve()
  await operations[Symbol.asyncDispose]()
  assert.equal(ended, true)
})
