import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryStore } from '../../test/fixtures/temporary-store.ts'
import type { Store, WriteTx } from './index.ts'

function add(tx: WriteTx, name: string): void {
  tx.create('Pull', {
    name,
    uid: name,
    spec: { platform: { os: 'linux', architecture: 'amd64' } },
    status: { blobs: [], chainIds: [] },
  })
}

function addAll(store: Store, names: readonly string[]): void {
  store.write((tx) => {
    for (const name of names) add(tx, name)
  })
}

const list = (store: Store) => store.read((tx) => tx.list('Pull'))
const names = (objects: readonly { metadata: { name: string } }[]) => objects.map(({ metadata }) => metadata.name)

test('what has not changed is parsed once, what has changed anew', (t) => {
  const store = temporaryStore(t)
  addAll(store, ['a', 'b', 'c'])
  const before = list(store)
  store.write((tx) => {
    tx.putStatus('Pull', 'b', { chainIds: [], blobs: ['sha256:0' as never] })
    add(tx, 'd')
    tx.delete('Pull', 'c')
  })
  const after = list(store)
  assert.deepEqual(names(after), ['a', 'b', 'd'])
  assert.equal(after[0], before[0])
  assert.notEqual(after[1], before[1])
  assert.deepEqual(after[1]!.status.blobs, ['sha256:0'])
  assert.equal(list(store)[2], after[2])
})

test('what is created again with the same uid comes last', (t) => {
  const store = temporaryStore(t)
  addAll(store, ['a', 'b'])
  list(store)
  store.write((tx) => {
    tx.delete('Pull', 'a')
    add(tx, 'a')
  })
  assert.deepEqual(names(list(store)), ['b', 'a'])
})

test('a transaction sees what it has written, and nothing of one that was rolled back is remembered', (t) => {
  const store = temporaryStore(t)
  store.write((tx) => add(tx, 'a'))
  const [before] = list(store)
  assert.throws(() =>
    store.write((tx) => {
      add(tx, 'b')
      tx.putStatus('Pull', 'a', { blobs: ['sha256:1' as never] })
      assert.deepEqual(names(tx.list('Pull')), ['a', 'b'])
      assert.deepEqual(tx.list('Pull')[0]!.status.blobs, ['sha256:1'])
      throw new Error('given up')
    }),
  )
  assert.equal(list(store)[0], before)
  store.write((tx) => {
    add(tx, 'c')
    assert.deepEqual(names(tx.list('Pull')), ['a', 'c'])
  })
  assert.deepEqual(names(list(store)), ['a', 'c'])
})

test('a list that was last read before the oldest change that is kept is read anew', (t) => {
  const store = temporaryStore(t, { retention: { changes: 10, events: 10 } })
  addAll(store, ['a', 'b'])
  list(store)
  store.write((tx) => tx.delete('Pull', 'a'))
  for (let index = 0; index < 600; index++)
    store.write((tx) => tx.putStatus('Pull', 'b', { blobs: [`sha256:${index}` as never] }))
  assert.deepEqual(names(list(store)), ['b'])
  assert.deepEqual(list(store)[0]!.status.blobs, ['sha256:599'])
})

test('a list and its objects cannot be changed by who got them', (t) => {
  const store = temporaryStore(t)
  store.write((tx) => add(tx, 'a'))
  list(store).pop()
  assert.deepEqual(names(list(store)), ['a'])
  assert.throws(() => Object.assign(list(store)[0]!.metadata.labels, { x: 'y' }), TypeError)
})
