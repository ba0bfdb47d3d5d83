import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { temporaryStore, testCtx } from '../../test/fixtures/temporary-store.ts'
import type { Store, StoreOptions } from '../store/index.ts'
import { type Controller, runControllers } from './index.ts'

const spec = { platform: { os: 'linux', architecture: 'amd64' } }

function start(t: TestContext, controller: (store: Store) => Controller, options: Partial<StoreOptions> = {}) {
  const store = temporaryStore(t, options)
  const ctx = testCtx(t)
  const run = () => runControllers(ctx, store, [controller(store)], { backoff: { firstMs: 1, maxMs: 2, jitter: 0 } })
  return { store, run, end: ctx.end }
}

function createPull(store: Store, name: string): string {
  return store.write((tx) => tx.create('Pull', { name, spec, status: { blobs: [], chainIds: [] } })).metadata.uid
}

/** Resolves when `record` was called with every one of `wanted`. */
function expectation(wanted: readonly string[]) {
  const missing = new Set(wanted)
  const { promise: met, resolve } = Promise.withResolvers<void>()
  return {
    met,
    record: (item: string) => {
      missing.delete(item)
      if (missing.size === 0) resolve()
    },
  }
}

test('sees what was there, what comes, what changes and what goes', async (t) => {
  const before = expectation(['old'])
  const after = expectation(['new', 'renamed', 'gone'])
  const { store, run, end } = start(t, (store) => ({
    name: 'test',
    triggers: { Pull: (pull) => pull.metadata.uid },
    async reconcile(_ctx, uid) {
      const name = store.read((tx) => tx.getByUid('Pull', uid))?.metadata.name ?? 'gone'
      before.record(name)
      after.record(name)
      return undefined
    },
  }))
  const uid = createPull(store, 'old')
  const running = run()
  await before.met
  createPull(store, 'new')
  store.write((tx) => {
    const pull = tx.getByUid('Pull', uid)!
    tx.put('Pull', { ...pull, metadata: { ...pull.metadata, name: 'renamed' } })
  })
  const doomed = createPull(store, 'doomed')
  store.write((tx) => tx.delete('Pull', doomed))
  await after.met
  end()
  await running
})

test('what fails is tried again; requeueAfterMs comes again without a change', async (t) => {
  let calls = 0
  const enough = Promise.withResolvers<void>()
  const { store, run, end } = start(t, () => ({
    name: 'test',
    triggers: { Pull: (pull) => [pull.metadata.uid] },
    async reconcile() {
      calls++
      if (calls < 3) throw new Error('not yet')
      if (calls === 5) enough.resolve()
      return { requeueAfterMs: 1 }
    },
  }))
  createPull(store, 'one')
  const running = run()
  await enough.promise
  end()
  await running
})

test('ends after the reconcile under way, and begins no other', async (t) => {
  const begun = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  let ended = 0
  const { store, run, end } = start(t, () => ({
    name: 'test',
    triggers: { Pull: (pull) => pull.metadata.uid },
    async reconcile() {
      begun.resolve()
      await release.promise
      ended++
      return undefined
    },
  }))
  createPull(store, 'one')
  createPull(store, 'two')
  const running = run()
  await begun.promise
  end()
  release.resolve()
  await running
  assert.equal(ended, 1)
})

test('a trigger that throws spoils its object only; a watch that came too late begins again', async (t) => {
  const wanted = expectation(['last'])
  const { store, run, end } = start(
    t,
    (store) => ({
      name: 'test',
      triggers: {
        Pull: ({ metadata }) => {
          if (metadata.name === 'bad') throw new Error('bad')
          return metadata.uid
        },
      },
      async reconcile(_ctx, uid) {
        wanted.record(store.read((tx) => tx.getByUid('Pull', uid))!.metadata.name)
        return undefined
      },
    }),
    { retention: { changes: 1, events: 1 } },
  )
  createPull(store, 'bad')
  const running = run()
  await new Promise(setImmediate)
  for (let i = 0; i < 600; i++) createPull(store, `pull-${i}`) // in one turn: all but a few are gone when the watcher wakes
  createPull(store, 'last')
  await wanted.met
  end()
  await running
})

test('resyncMs looks at everything again though nothing changed', async (t) => {
  let calls = 0
  const again = Promise.withResolvers<void>()
  const { store, run, end } = start(t, () => ({
    name: 'test',
    resyncMs: 1,
    concurrency: 2,
    triggers: { Pull: (pull) => pull.metadata.uid },
    async reconcile() {
      if (++calls === 3) again.resolve()
      return undefined
    },
  }))
  createPull(store, 'one')
  const running = run()
  await again.promise
  end()
  await running
})
