import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { SAMPLE_OBJECTS } from '../../test/fixtures/store-objects.ts'
import { temporaryStore, testCtx } from '../../test/fixtures/temporary-store.ts'
import { onBehalfOf, onNobodysBehalf } from '../lib/asked-by.ts'
import type { Event } from '../model/event.ts'
import type { Change, Store } from './index.ts'

function createPull(store: Store, name: string): string {
  return store.write((tx) =>
    tx.create('Pull', { name, spec: SAMPLE_OBJECTS.Pull.spec, status: SAMPLE_OBJECTS.Pull.status }),
  ).metadata.uid
}

async function take<T>(stream: AsyncIterable<T>, count: number): Promise<T[]> {
  const items: T[] = []
  if (count === 0) return items
  for await (const item of stream) {
    items.push(item)
    if (items.length === count) break
  }
  return items
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

const told = ({ revision, action, object }: Change) => `${revision} ${action} ${object.metadata.name}`

test('a watch tells what is committed after its call, in order', async (t) => {
  const store = temporaryStore(t)
  createPull(store, 'before')
  const watch = store.watch(testCtx(t))
  const first = createPull(store, 'one')
  const taken = take(watch, 4)
  await turn()
  store.write((tx) => {
    tx.putStatus('Pull', first, { blobs: [] })
    tx.create('Network', { ...SAMPLE_OBJECTS.Network, name: 'two' })
    tx.delete('Pull', first)
  })
  assert.deepEqual((await taken).map(told), ['2 created one', '3 updated one', '4 created two', '5 deleted one'])
})

test('a watch goes on from a revision, and from 0 tells everything', async (t) => {
  const store = temporaryStore(t)
  const ctx = testCtx(t)
  for (let i = 1; i <= 300; i++) createPull(store, `p${i}`)
  assert.deepEqual((await take(store.watch(ctx, { after: 298 }), 2)).map(told), [
    '299 created p299',
    '300 created p300',
  ])
  const everything = await take(store.watch(ctx, { after: 0 }), 300)
  assert.deepEqual(
    everything.map(told),
    Array.from({ length: 300 }, (_, i) => `${i + 1} created p${i + 1}`),
  )
})

test('a deletion tells the last state with the revision of the deletion', async (t) => {
  const store = temporaryStore(t)
  const uid = createPull(store, 'one')
  store.write((tx) => tx.delete('Pull', uid))
  const [change] = await take(store.watch(testCtx(t), { after: 1 }), 1)
  assert.equal(change?.object.metadata.resourceVersion, 2)
  assert.deepEqual(change?.object.spec, SAMPLE_OBJECTS.Pull.spec)
})

test('a watch of some kinds leaves the others out, and is not outrun by them', async (t) => {
  const store = temporaryStore(t, { retention: { changes: 60, events: 60 } })
  const taken = take(store.watch(testCtx(t), { kinds: ['Network'] }), 1)
  for (let i = 0; i < 600; i++) {
    createPull(store, `p${i}`)
    if (i % 50 === 0) await turn()
  }
  store.write((tx) => tx.create('Network', SAMPLE_OBJECTS.Network))
  assert.deepEqual((await taken).map(told), ['601 created raind0'])
})

test('a transaction that is undone is not told', async (t) => {
  const store = temporaryStore(t)
  const taken = take(store.watch(testCtx(t)), 1)
  await turn()
  const failing = () =>
    store.write((tx) => {
      tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name: 'lost' })
      throw new Error('no')
    })
  assert.throws(failing, /no/)
  await turn()
  createPull(store, 'kept')
  assert.deepEqual((await taken).map(told), ['1 created kept'])
})

test('a watch ends with its context, and with the store', async (t) => {
  const store = temporaryStore(t)
  const ctx = testCtx(t)
  const byContext = all(store.watch(ctx))
  const byStore = all(store.watch(testCtx(t)))
  await turn()
  ctx.end()
  assert.deepEqual(await byContext, [])
  await store[Symbol.asyncDispose]()
  assert.deepEqual(await byStore, [])
})

test('old changes go, and whoever needs them is told that they are expired', async (t) => {
  const store = temporaryStore(t, { retention: { changes: 10, events: 10 } })
  const ctx = testCtx(t)
  const late = store.watch(ctx)[Symbol.asyncIterator]()
  for (let i = 1; i <= 600; i++) createPull(store, `p${i}`)
  await assert.rejects(take(store.watch(ctx, { after: 0 }), 1), { code: 'expired' })
  await assert.rejects(late.next(), { code: 'expired' })
  await assert.rejects(take(store.watch(ctx, { after: 601 }), 1), { code: 'expired' })
  assert.equal((await take(store.watch(ctx, { after: 590 }), 10)).length, 10)
})

const happen = (store: Store, kind: string, name: string) =>
  store.write((tx) => tx.event({ kind, action: 'start', uid: 'u', name, attributes: { image: 'größe' } }))

const names = (events: readonly Event[]) => events.map(({ name }) => name)

test('events are kept in order, with a time in ns, and end unless followed', async (t) => {
  const store = temporaryStore(t)
  const ctx = testCtx(t)
  const before = BigInt(Date.now()) * 1_000_000n
  happen(store, 'Container', 'one')
  happen(store, 'Image', 'two')
  const [one, two] = await all(store.events(ctx))
  assert.ok(one !== undefined && one.timeNs >= before && one.timeNs < before + 60_000_000_000n)
  assert.deepEqual(
    { ...one, timeNs: 0n },
    {
      sequence: 1,
      timeNs: 0n,
      kind: 'Container',
      action: 'start',
      uid: 'u',
      name: 'one',
      attributes: { image: 'größe' },
    },
  )
  assert.equal(two?.sequence, 2)
  assert.deepEqual(names(await all(store.events(ctx, { after: 1 }))), ['two'])
  assert.deepEqual(names(await all(store.events(ctx, { kinds: ['Container'] }))), ['one'])
})

test('events can be followed', async (t) => {
  const store = temporaryStore(t)
  happen(store, 'Container', 'one')
  const taken = take(store.events(testCtx(t), { follow: true }), 3)
  await turn()
  happen(store, 'Container', 'two')
  await turn()
  happen(store, 'Container', 'three')
  assert.deepEqual(names(await taken), ['one', 'two', 'three'])
})

test('events can be followed up to a moment: what has come by then comes whole, however late it is read', async (t) => {
  const store = temporaryStore(t)
  for (let i = 1; i <= 300; i++) happen(store, 'Container', `c${i}`)
  const ending = new AbortController()
  const events = store.events(testCtx(t), { follow: ending.signal })
  const read: Event[] = []
  for await (const event of events) {
    read.push(event)
    if (read.length === 300) {
      happen(store, 'Container', 'c301')
      ending.abort()
    }
    if (read.length === 301) happen(store, 'Container', 'late')
  }
  assert.deepEqual(names(read).slice(-2), ['c300', 'c301'])
  const waiting = all(store.events(testCtx(t), { after: 'last', follow: AbortSignal.timeout(10) }))
  assert.deepEqual(await waiting, [])
  const over = all(store.events(testCtx(t), { follow: AbortSignal.abort() }))
  assert.equal((await over).length, 302)
})

test('old events go; without a start the oldest kept come first, an older start is expired', async (t) => {
  const store = temporaryStore(t, { retention: { changes: 10, events: 10 } })
  const ctx = testCtx(t)
  for (let i = 1; i <= 600; i++) happen(store, 'Container', `c${i}`)
  const kept = await all(store.events(ctx))
  assert.equal(kept.at(-1)?.name, 'c600')
  assert.ok(kept.length >= 10 && kept.length < 10 + 256, `${kept.length} kept`)
  const oldest = { code: 'expired', message: new RegExp(`oldest kept is number ${kept[0]!.sequence} of 20`) }
  assert.throws(() => store.events(ctx, { after: 1 }), oldest)
  assert.throws(() => store.events(ctx, { sinceNs: kept[0]!.timeNs - 1n }), oldest)
  assert.equal((await all(store.events(ctx, { sinceNs: kept[0]!.timeNs }))).length, kept.length)
  assert.throws(() => store.events(ctx, { after: 601 }), { code: 'expired', message: /the last one is 600/ })
})

test('events from a time on; what is too old goes', async (t) => {
  const store = temporaryStore(t, { retention: { changes: 10, events: 1000, eventsMaxAgeMs: 60_000 } })
  const ctx = testCtx(t)
  for (let i = 1; i <= 255; i++) happen(store, 'Container', `c${i}`)
  const kept = await all(store.events(ctx))
  assert.deepEqual(names(await all(store.events(ctx, { sinceNs: kept[253]!.timeNs }))), ['c254', 'c255'])
  assert.deepEqual(names(await all(store.events(ctx, { sinceNs: kept[0]!.timeNs - 1_000_000_000n }))), names(kept))
  assert.deepEqual(await all(store.events(ctx, { sinceNs: kept[254]!.timeNs + 1n })), [])
  t.mock.method(Temporal.Now, 'instant', () =>
    Temporal.Instant.fromEpochNanoseconds(kept[254]!.timeNs + 61_000_000_000n),
  )
  happen(store, 'Container', 'new')
  assert.deepEqual(names(await all(store.events(ctx))), ['new'])
})

test('events say who asked', async (t) => {
  const store = temporaryStore(t)
  await onBehalfOf({ uid: 7 }, async () => {
    await turn()
    happen(store, 'Container', 'asked')
    onNobodysBehalf(() => happen(store, 'Container', 'by itself'))
  })
  const told = await all(store.events(testCtx(t)))
  assert.deepEqual(
    told.map(({ actor }) => actor),
    [{ uid: 7 }, undefined],
  )
})
