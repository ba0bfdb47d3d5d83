import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SAMPLE_OBJECTS } from '../../test/fixtures/store-objects.ts'
import { temporaryStore, testCtx } from '../../test/fixtures/temporary-store.ts'
import { eventually } from '../../test/support/eventually.ts'
import { UsageSampler } from './usage-sampler.ts'

const INTERVAL_MS = 5
const LONG_MS = 40 * INTERVAL_MS
const USAGE = {
  cpu: { usageUsec: 5, userUsec: 5, systemUsec: 0, periods: 0, throttled: 0, throttledUsec: 0, periodUsec: 0 },
  memory: { currentBytes: 0, inactiveFileBytes: 0, ooms: 0, oomKills: 0 },
  io: { readBytes: 0, writeBytes: 0, readOps: 0, writeOps: 0 },
  pids: { current: 1 },
  links: [],
}

/** A sampler of two containers, and the looks that it takes. */
function sampler(t: TestContext) {
  const store = temporaryStore(t)
  const ids = ['a', 'b'].map((digit) => digit.repeat(64))
  store.write((tx) => {
    tx.create('Sandbox', SAMPLE_OBJECTS.Sandbox)
    for (const id of ids) {
      const status = { restartCount: 0, preparedAt: 1, startedAt: Date.now() - 1000, pid: process.pid }
      tx.create('Container', { ...SAMPLE_OBJECTS.Container, name: id.slice(0, 3), uid: id, status })
    }
  })
  const looks: number[] = []
  const ctx = testCtx(t)
  const deps = {
    store,
    log: ctx.log,
    paths: { log: (id: string) => `/log/${id}` },
    runtime: {
      async usage(_ctx: unknown, targets: readonly unknown[]) {
        looks.push(targets.length)
        return targets.map(() => ({ ...USAGE, takenAt: Date.now() }))
      },
    },
  }
  return { store, ids, looks, ctx, sampler: new UsageSampler(ctx, deps, INTERVAL_MS) }
}

test('a look has those that run, or those that are named, whether they run or not', async (t) => {
  const { store, ids, sampler: used } = sampler(t)
  const [a, b] = ids as [string, string]
  store.write((tx) => tx.putStatus('Container', b, { pid: undefined, finishedAt: 1 }))
  const names = async (which: readonly string[] | 'alive') =>
    (await used.look(which)).map(({ container, usage }) => [container.metadata.uid, usage !== undefined])
  assert.deepEqual(await names('alive'), [[a, true]])
  assert.deepEqual(await names([b, a]), [
    [b, false],
    [a, true],
  ])
  assert.deepEqual(await names(['gone']), [])
})

test('looks at all that are asked for at the same time are one', async (t) => {
  const { looks, sampler: used } = sampler(t)
  await Promise.all([used.look('alive'), used.look('alive'), used.look('alive')])
  assert.deepEqual(looks, [2])
})

test('followers share the looks, and when the last has left none is taken any more', async (t) => {
  const { ids, looks, ctx, sampler: used } = sampler(t)
  const follow = async (which: readonly string[] | 'alive', count: number) => {
    const seen: number[] = []
    for await (const stats of used.follow(ctx, which)) {
      seen.push(stats.length)
      if (seen.length === count) break
    }
    return seen
  }
  const seen = await Promise.all([follow('alive', 20), follow('alive', 20), follow([ids[0]!], 20)])
  assert.deepEqual(seen, [Array(20).fill(2), Array(20).fill(2), Array(20).fill(1)])
  // Each has one look at the beginning; an empty one names nobody.
  const taken = looks.filter((count) => count > 0).length
  assert(taken <= 3 + 20 + 2, `${taken} looks`)
  await sleep(LONG_MS)
  const after = looks.length
  await sleep(LONG_MS)
  assert.equal(looks.length, after)
})

test('one that is slow gets the last look, and none that it missed', async (t) => {
  const { looks, ctx, sampler: used } = sampler(t)
  const following = used.follow(ctx, 'alive')
  await following.next()
  await following.next()
  await eventually(() => looks.length > 6)
  const missed = looks.length
  await following.next()
  const taken = looks.length
  await following.next()
  assert(missed > 3, `${missed} looks`)
  assert(looks.length > taken, 'the next look is a new one')
  await following.return(undefined)
})

test('following ends with its context, and with the last container that is named', async (t) => {
  const { store, ids, ctx, sampler: used } = sampler(t)
  const abort = new AbortController()
  const following = used.follow({ ...ctx, signal: abort.signal }, 'alive')
  await following.next()
  const next = following.next()
  abort.abort()
  await next
  await eventually(
    () => following.next(),
    ({ done }) => done,
  )

  const named = used.follow(ctx, [ids[0]!])
  await named.next()
  store.write((tx) => tx.delete('Container', ids[0]!))
  await eventually(
    () => named.next(),
    ({ done }) => done,
  )
})

test('a container that was started again is measured from its start', async (t) => {
  const { store, ids, sampler: used } = sampler(t)
  const [a] = ids as [string]
  const overMs = async () => (await used.look([a]))[0]!.usage!.load.overMs
  assert((await overMs()) >= 1000)
  store.write((tx) => tx.putStatus('Container', a, { startedAt: Date.now() - 60_000 }))
  assert((await overMs()) >= 60_000)
})
