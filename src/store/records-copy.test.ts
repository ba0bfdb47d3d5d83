import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { SAMPLE_OBJECTS } from '../../test/fixtures/store-objects.ts'
import { temporaryDirectory } from '../../test/fixtures/temporary-store.ts'
import { eventually } from '../../test/support/eventually.ts'
import { silentLogger } from '../lib/log.ts'
import { openStore } from './index.ts'
import { readRecordsCopy } from './records-copy.ts'
import type { Store } from './types.ts'

function files(directory: string) {
  const file = join(directory, 'test.db')
  return { file, copy: join(directory, 'test.records'), log: silentLogger }
}

function loseDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}

const everything = (store: Store) =>
  store.read((tx) => ({ containers: tx.list('Container'), networks: tx.list('Network'), pulls: tx.list('Pull') }))

test('objects come back with their revisions, in the order of their creation, and revisions go on', async (t) => {
  const options = files(temporaryDirectory(t))
  let before: ReturnType<typeof everything>
  {
    await using store = openStore(options)
    assert.equal(store.isRestored, false)
    store.write((tx) => tx.create('Network', SAMPLE_OBJECTS.Network))
    const { metadata } = store.write((tx) => tx.create('Container', SAMPLE_OBJECTS.Container))
    for (let i = 0; i < 5; i++)
      store.write((tx) => tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name: `p${i}`, uid: `u${i}` }))
    store.write((tx) => tx.delete('Pull', 'u1'))
    store.write((tx) => tx.putStatus('Container', metadata.uid, { exitCode: 3 }))
    before = everything(store)
  }
  loseDatabase(options.file)
  await using store = openStore(options)
  assert.equal(store.isRestored, true)
  assert.deepEqual(everything(store), before)
  const last = store.read((tx) => tx.revision())
  assert.equal(last, before.containers[0]!.metadata.resourceVersion)
  assert.equal(
    store.write((tx) => tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name: 'n', uid: 'n' })).metadata.resourceVersion,
    last + 1,
  )
})

test('only its owner can read it: specs hold secrets', async (t) => {
  const options = files(temporaryDirectory(t))
  await openStore(options)[Symbol.asyncDispose]()
  assert.equal(statSync(options.copy).mode & 0o777, 0o600)
})

test('it follows while the store is open, and a line that was torn is left out', async (t) => {
  const options = files(temporaryDirectory(t))
  await using store = openStore(options)
  store.write((tx) => tx.create('Network', SAMPLE_OBJECTS.Network))
  await eventually(() => existsSync(options.copy))
  store.write((tx) => tx.create('Container', SAMPLE_OBJECTS.Container))
  const names = () => readRecordsCopy(options.copy)!.map(({ kind, object }) => `${kind} ${object.metadata.name}`)
  await eventually(names, ({ length }) => length >= 2)
  appendFileSync(options.copy, '{"key":"Network x","object":{"meta')
  assert.deepEqual(names(), [`Network ${SAMPLE_OBJECTS.Network.name}`, `Container ${SAMPLE_OBJECTS.Container.name}`])
})

test('what was changed at once after its creation, and after that of another, still comes before it', async (t) => {
  const options = files(temporaryDirectory(t))
  let before: ReturnType<typeof everything>
  {
    await using store = openStore(options)
    await eventually(() => existsSync(options.copy))
    store.write((tx) => tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name: 'a', uid: 'a' }))
    await setTimeout(2)
    store.write((tx) => tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name: 'b', uid: 'b' }))
    store.write((tx) => tx.putStatus('Pull', 'a', { blobs: [] }))
    before = everything(store)
  }
  loseDatabase(options.file)
  await using store = openStore(options)
  assert.deepEqual(everything(store), before)
})

test('what a transaction has undone is not in it', async (t) => {
  const options = files(temporaryDirectory(t))
  {
    await using store = openStore(options)
    assert.throws(() =>
      store.write((tx) => {
        tx.create('Network', SAMPLE_OBJECTS.Network)
        throw new Error('undone')
      }),
    )
    store.write((tx) => tx.create('Container', SAMPLE_OBJECTS.Container))
  }
  assert.doesNotMatch(readFileSync(options.copy, 'utf8'), /"key":"Network/)
})

test('whatever was created, renamed and deleted, the copy is the store', async (t) => {
  const step = fc.record({ action: fc.constantFrom('create', 'rename', 'delete'), uid: fc.nat(4), name: fc.nat(4) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const options = files(temporaryDirectory(t))
      let before: ReturnType<typeof everything>
      {
        await using store = openStore(options)
        for (const { action, uid, name } of steps) apply(store, action, `u${uid}`, `p${name}`)
        before = everything(store)
      }
      loseDatabase(options.file)
      await using store = openStore(options)
      const byUid = ({ pulls }: typeof before) => pulls.toSorted((a, b) => a.metadata.uid.localeCompare(b.metadata.uid))
      assert.deepEqual(byUid(everything(store)), byUid(before))
    }),
    { numRuns: 30 },
  )
})

/** What cannot be, as a name that is taken, is not. */
function apply(store: Store, action: string, uid: string, name: string): void {
  try {
    store.write((tx) => {
      const found = tx.getByUid('Pull', uid)
      if (action === 'create') tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name, uid })
      else if (action === 'delete') tx.delete('Pull', uid)
      else if (found !== undefined) tx.put('Pull', { ...found, metadata: { ...found.metadata, name } })
    })
  } catch {
    // A rolled back transaction must leave no trace either.
  }
}
