import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../lib/errors.ts'
import { silentLogger } from '../lib/log.ts'
import type { Digest } from '../model/digest.ts'
import { layerReport, ProgressFeed, type PullProgress } from './progress.ts'

const ctx = { signal: new AbortController().signal, log: silentLogger }
const layer = (name: string, size = 1000) => ({ mediaType: 'x', digest: name as Digest, size })

async function collect(progress: AsyncIterable<PullProgress>): Promise<PullProgress[]> {
  const items: PullProgress[] = []
  for await (const item of progress) items.push(item)
  return items
}

test('every follower is told the end, also one that comes after it', async () => {
  const feed = new ProgressFeed()
  const early = collect(feed.follow(ctx))
  feed.publish({ type: 'resolved', reference: 'a', digest: 'd' as Digest })
  feed.end()
  const late = collect(feed.follow(ctx))
  assert.deepEqual(await early, [{ type: 'resolved', reference: 'a', digest: 'd' }])
  assert.deepEqual(await late, await early)
})

test('a slow follower holds one item a layer, whatever happened meanwhile', async () => {
  const feed = new ProgressFeed()
  const follower = feed.follow(ctx)
  const report = layerReport(feed, layer('l', 100_000_000))
  report('waiting', 0)
  assert.equal((await follower.next()).value?.type, 'layer')
  for (let bytes = 0; bytes <= 100_000_000; bytes += 10_000) report('downloading', bytes)
  report('done', 100_000_000)
  feed.end()
  const rest = await collect(follower)
  assert.deepEqual(
    rest.map((item) => item.type === 'layer' && item.status),
    ['done'],
  )
})

test('byte counts are reported in steps', async () => {
  const feed = new ProgressFeed()
  let published = 0
  const publish = feed.publish.bind(feed)
  feed.publish = (item) => {
    published++
    publish(item)
  }
  const report = layerReport(feed, layer('l', 1_000_000_000))
  for (let bytes = 0; bytes <= 1_000_000_000; bytes += 65_536) report('downloading', bytes)
  assert.ok(published > 50 && published <= 102, `${published} items`)
})

test('followers get what is pending, then the error', async () => {
  const feed = new ProgressFeed()
  const failure = new Error('disk on fire')
  feed.publish({ type: 'resolved', reference: 'a', digest: 'd' as Digest })
  feed.end({ error: failure })
  const follower = feed.follow(ctx)
  assert.equal((await follower.next()).done, false)
  await assert.rejects(follower.next(), failure)
})

test('a follower whose context ends is released, the others go on', async () => {
  const feed = new ProgressFeed()
  const gone = new AbortController()
  const leaver = collect(feed.follow({ ...ctx, signal: gone.signal }))
  const stayer = collect(feed.follow(ctx))
  await new Promise(setImmediate)
  gone.abort()
  await assert.rejects(leaver, (error) => hasCode(error, 'cancelled'))
  feed.publish({ type: 'resolved', reference: 'a', digest: 'd' as Digest })
  feed.end()
  assert.equal((await stayer).length, 1)
})

test('a follower that is aborted while it handles an item does not hang', async () => {
  const feed = new ProgressFeed()
  const gone = new AbortController()
  feed.publish({ type: 'resolved', reference: 'a', digest: 'd' as Digest })
  const follower = feed.follow({ ...ctx, signal: gone.signal })
  await follower.next()
  gone.abort()
  await assert.rejects(follower.next(), (error) => hasCode(error, 'cancelled'))
})
