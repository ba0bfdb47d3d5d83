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

/** Work that goes on until it is not wanted any more. */
const untilUnwanted = (_feed: unknown, ended: AbortSignal) =>
  new Promise<void>((_resolve, reject) => ended.addEventListener('abort', () => reject(new Error('unwanted'))))

test('what was asked for with signals ends with the last of them, and is begun anew by who asks then', async () => {
  await using operations = new Operations()
  const [first, second] = [new AbortController(), new AbortController()]
  const feed = operations.start('k', untilUnwanted, nothing, first.signal)
  assert.equal(operations.start('k', untilUnwanted, nothing, second.signal), feed)
  first.abort()
  const third = new AbortController()
  assert.equal(operations.start('k', untilUnwanted, nothing, third.signal), feed)
  second.abort()
  third.abort()
  assert.notEqual(operations.start('k', nothing, nothing), feed)
  await assert.rejects(feed.follow(ctx).next(), /unwanted/)
})

test('what somebody has asked for without a signal goes on', async () => {
  await using operations = new Operations()
  const { promise, resolve } = Promise.withResolvers<void>()
  let wasEnded = false
  const work = async (_feed: unknown, ended: AbortSignal) => {
    await promise
    wasEnded = ended.aborted
  }
  const asker = new AbortController()
  const feed = operations.start('k', work, nothing, asker.signal)
  assert.equal(operations.start('k', work, nothing), feed)
  asker.abort()
  assert.equal(operations.start('k', work, nothing), feed)
  resolve()
  for await (const _ of feed.follow(ctx));
  assert.equal(wasEnded, false)
})

test('who has ended when he asks is waited for by nobody', async () => {
  await using operations = new Operations()
  const feed = operations.start('k', untilUnwanted, nothing, AbortSignal.abort())
  await assert.rejects(feed.follow(ctx).next(), /unwanted/)
})
