import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SAMPLE_OBJECTS } from '../../test/fixtures/store-objects.ts'
import { temporaryStore, testCtx } from '../../test/fixtures/temporary-store.ts'
import { onBehalfOf } from '../lib/asked-by.ts'
import type { Event } from '../model/event.ts'
import type { Kind, Kinds } from '../model/kinds.ts'
import { newId } from '../model/names.ts'
import type { Draft, Store, WriteTx } from './index.ts'

const KINDS = Object.keys(SAMPLE_OBJECTS) as Kind[]

function create<K extends Kind>(store: Store, kind: K, over: Partial<Draft<K>> = {}): Kinds[K] {
  const created: Kinds[K][] = []
  store.write((tx) => void created.push(tx.create(kind, { ...SAMPLE_OBJECTS[kind], uid: newId(), ...over })))
  return created[0]!
}

test('an object of every kind is read as it was written', (t) => {
  const store = temporaryStore(t)
  for (const kind of KINDS) {
    const draft = SAMPLE_OBJECTS[kind]
    const created = store.write((tx) => tx.create(kind, draft))
    const { metadata, spec, status } = created
    assert.deepEqual({ spec, status }, JSON.parse(JSON.stringify({ spec: draft.spec, status: draft.status })))
    assert.equal(metadata.generation, 1)
    assert.equal(metadata.namespace, draft.namespace ?? 'default')
    store.read((tx) => {
      assert.equal(metadata.resourceVersion, tx.revision())
      assert.deepEqual(tx.get(kind, metadata.name, metadata.namespace), created)
      assert.deepEqual(tx.getByUid(kind, metadata.uid), created)
    })
  }
})

test('names are unique within kind and namespace, uids within the kind', (t) => {
  const store = temporaryStore(t)
  const { uid } = create(store, 'Container', { name: 'web' }).metadata
  create(store, 'Container', { name: 'web', namespace: 'other' })
  create(store, 'Sandbox', { name: 'web', uid })
  assert.throws(() => create(store, 'Container', { name: 'web' }), { code: 'already_exists', message: /"web" already/ })
  assert.throws(() => create(store, 'Container', { name: 'db', uid }), { code: 'already_exists', message: /uid/ })
})

test('no two containers share the first 12 digits of their ids; sandboxes may', (t) => {
  const store = temporaryStore(t)
  const id = newId()
  const twin = `${id.slice(0, 12)}${'0'.repeat(52)}`
  create(store, 'Container', { name: 'one', uid: id })
  assert.throws(() => create(store, 'Container', { name: 'two', uid: twin }), {
    code: 'already_exists',
    message: /uid/,
  })
  create(store, 'Sandbox', { name: 'one', uid: id })
  create(store, 'Sandbox', { name: 'two', uid: twin })
})

test('lists are in order of creation, filtered by everything asked for', (t) => {
  const store = temporaryStore(t)
  const owner = { frontEnd: 'condenser', kind: 'Container', uid: 'owner' } as const
  create(store, 'Sandbox', { name: 'z' })
  create(store, 'Sandbox', { name: 'web-1', owner, labels: { a: '1', b: '2' } })
  create(store, 'Sandbox', { name: 'web-0', owner, namespace: 'other' })
  create(store, 'Sandbox', { name: 'a', labels: { a: '1' } })
  const names = (filter?: Parameters<WriteTx['list']>[1]) =>
    store.read((tx) => {
      const objects = tx.list('Sandbox', filter)
      assert.equal(tx.count('Sandbox', filter), objects.length)
      return objects.map(({ metadata }) => metadata.name)
    })
  assert.deepEqual(names(), ['z', 'web-1', 'web-0', 'a'])
  assert.deepEqual(names({ ownerUid: 'owner' }), ['web-1', 'web-0'])
  assert.deepEqual(names({ namespace: 'default', namePrefix: 'web-' }), ['web-1'])
  assert.deepEqual(names({ labels: { a: '1' } }), ['web-1', 'a'])
  assert.deepEqual(names({ labels: { a: '1', b: '2' } }), ['web-1'])
  assert.deepEqual(names({ labels: { a: '2' } }), [])
  assert.deepEqual(
    store.read((tx) => tx.list('Container')),
    [],
  )
})

test('uids are found by prefix, at most as many as asked for', (t) => {
  const store = temporaryStore(t)
  for (const uid of ['abc0', 'abc1', 'abd0']) create(store, 'Sandbox', { name: uid, uid })
  const find = (prefix: string, limit: number) =>
    store.read((tx) => tx.findByUidPrefix('Sandbox', prefix, limit).map(({ metadata }) => metadata.uid))
  assert.deepEqual(find('abc', 9), ['abc0', 'abc1'])
  assert.deepEqual(find('ab', 2), ['abc0', 'abc1'])
  assert.deepEqual(find('abd0', 9), ['abd0'])
  assert.deepEqual(find('%', 9), [])
})

test('put replaces the object, counts changes of the spec and keeps what is immutable', (t) => {
  const store = temporaryStore(t)
  const owner = { frontEnd: 'raind', kind: 'Container', uid: 'o' } as const
  const first = create(store, 'Network', { name: 'n', owner })
  const labelled = store.write((tx) =>
    tx.put('Network', {
      ...first,
      metadata: {
        ...first.metadata,
        labels: { a: '1' },
        createdAt: 0,
        owner: { ...owner, uid: 'thief' },
        generation: 9,
      },
    }),
  )
  assert.deepEqual(labelled.metadata, { ...first.metadata, labels: { a: '1' }, resourceVersion: 2 })
  const respecified = store.write((tx) => tx.put('Network', { ...labelled, spec: { ...labelled.spec, mtu: 1500 } }))
  assert.equal(respecified.metadata.generation, 2)
  assert.deepEqual(
    store.read((tx) => tx.get('Network', 'n')),
    respecified,
  )
})

test('put refuses what was read before the last change, and what is gone', (t) => {
  const store = temporaryStore(t)
  const old = create(store, 'Network')
  store.write((tx) => tx.putStatus('Network', old.metadata.uid, { lastAddress: '10.0.0.1' }))
  assert.throws(() => store.write((tx) => tx.put('Network', old)), { code: 'conflict' })
  store.write((tx) => tx.delete('Network', old.metadata.uid))
  assert.throws(() => store.write((tx) => tx.put('Network', old)), { code: 'not_found' })
  assert.throws(() => store.write((tx) => tx.putStatus('Network', old.metadata.uid, {})), { code: 'not_found' })
})

test('a rename frees the old name and needs the new one free', (t) => {
  const store = temporaryStore(t)
  const object = create(store, 'Network', { name: 'one' })
  create(store, 'Network', { name: 'two' })
  const rename = (name: string) =>
    store.write((tx) => tx.put('Network', { ...object, metadata: { ...object.metadata, name } }))
  assert.throws(() => rename('two'), { code: 'already_exists' })
  rename('three')
  create(store, 'Network', { name: 'one' })
  assert.equal(store.read((tx) => tx.get('Network', 'three'))?.metadata.uid, object.metadata.uid)
})

test('putStatus sets and removes fields and leaves the generation alone', (t) => {
  const store = temporaryStore(t)
  const { metadata } = create(store, 'Container', { status: { restartCount: 0, pid: 7, exitCode: 1 } })
  const next = store.write((tx) => tx.putStatus('Container', metadata.uid, { pid: undefined, restartCount: 1 }))
  assert.deepEqual(next.status, { restartCount: 1, exitCode: 1 })
  assert.equal(next.metadata.generation, 1)
  assert.deepEqual(
    store.read((tx) => tx.getByUid('Container', metadata.uid)),
    next,
  )
})

test('what changes nothing takes no revision', (t) => {
  const store = temporaryStore(t)
  const object = create(store, 'Container')
  const same = store.write((tx) => tx.putStatus('Container', object.metadata.uid, { ...object.status, pid: undefined }))
  assert.deepEqual(same, object)
  store.write((tx) => tx.put('Container', object))
  assert.equal(
    store.read((tx) => tx.revision()),
    object.metadata.resourceVersion,
  )
})

test('delete says whether there was something', (t) => {
  const store = temporaryStore(t)
  const { uid } = create(store, 'Pull').metadata
  assert.equal(
    store.write((tx) => tx.delete('Pull', uid)),
    true,
  )
  assert.equal(
    store.write((tx) => tx.delete('Pull', uid)),
    false,
  )
  assert.equal(
    store.read((tx) => tx.getByUid('Pull', uid)),
    undefined,
  )
})

test('a throw undoes the whole transaction, revisions included', (t) => {
  const store = temporaryStore(t)
  create(store, 'Network', { name: 'kept' })
  const failing = (tx: WriteTx) => {
    tx.create('Network', { ...SAMPLE_OBJECTS.Network, name: 'lost', uid: 'lost' })
    tx.event({ kind: 'Network', action: 'create', uid: 'lost', name: 'lost', attributes: {} })
    throw new Error('changed my mind')
  }
  assert.throws(() => store.write(failing), /changed my mind/)
  assert.equal(
    store.read((tx) => tx.get('Network', 'lost')),
    undefined,
  )
  assert.equal(create(store, 'Network', { name: 'next' }).metadata.resourceVersion, 2)
})

test('a taken name can be caught inside the transaction, which goes on', (t) => {
  const store = temporaryStore(t)
  create(store, 'Network', { name: 'taken' })
  store.write((tx) => {
    assert.throws(() => tx.create('Network', { ...SAMPLE_OBJECTS.Network, name: 'taken', uid: 'x' }), {
      code: 'already_exists',
    })
    tx.create('Network', { ...SAMPLE_OBJECTS.Network, name: 'free', uid: 'x' })
  })
  assert.deepEqual(
    store.read((tx) => tx.list('Network').map(({ metadata }) => [metadata.name, metadata.resourceVersion])),
    [
      ['taken', 1],
      ['free', 2],
    ],
  )
})

test('a write inside a transaction is refused; a read inside one sees it', (t) => {
  const store = temporaryStore(t)
  store.write((tx) => {
    assert.throws(() => store.write(() => 0), { code: 'internal' })
    tx.create('Network', SAMPLE_OBJECTS.Network)
    assert.equal(
      store.read((inner) => inner.count('Network')),
      1,
    )
  })
  store.read(() => assert.throws(() => store.write(() => 0), { code: 'internal' }))
  assert.equal(
    store.read((tx) => tx.count('Network')),
    1,
  )
})

test('asynchronous functions are refused, and undone', (t) => {
  const store = temporaryStore(t)
  // @ts-expect-error the type refuses it too
  const asynchronous = () => store.write(async (tx) => tx.create('Network', SAMPLE_OBJECTS.Network))
  assert.throws(asynchronous, { code: 'internal' })
  assert.equal(
    store.read((tx) => tx.count('Network')),
    0,
  )
})

test('a transaction is of no use after its end', (t) => {
  const store = temporaryStore(t)
  const leaked = store.write((tx) => tx)
  assert.throws(() => leaked.create('Network', SAMPLE_OBJECTS.Network), { code: 'internal' })
  const seen = store.read((tx) => tx)
  assert.throws(() => seen.list('Network'), { code: 'internal' })
})

test('a closed store refuses work', async (t) => {
  const store = temporaryStore(t)
  await store[Symbol.asyncDispose]()
  assert.throws(() => store.read((tx) => tx.revision()), { code: 'unavailable' })
  await assert.rejects(store.durable(), { code: 'unavailable' })
})

test('a list that was read in a transaction that failed is not taken for what the next one commits', (t) => {
  const store = temporaryStore(t)
  const container = (name: string) => ({ ...SAMPLE_OBJECTS.Container, uid: newId(), name })
  const names = () => store.read((tx) => tx.list('Container')).map(({ metadata }) => metadata.name)
  store.write((tx) => tx.create('Container', container('a')))
  assert.deepEqual(names(), ['a'])
  const failing = () =>
    store.write((tx) => {
      tx.create('Container', container('gone'))
      // Also by a read inside of the write.
      assert.deepEqual(names(), ['a', 'gone'])
      throw new Error('no')
    })
  assert.throws(failing, /no/)
  assert.deepEqual(names(), ['a'])
  store.write((tx) => tx.create('Container', container('b')))
  assert.deepEqual(names(), ['a', 'b'])
  assert.deepEqual(names(), ['a', 'b'])
})

test('what is written soon is there for who reads events, and before every later write; with its own time and asker', async (t) => {
  const store = temporaryStore(t)
  const event = (action: string) => ({ kind: 'Container', action, uid: 'u', name: 'n', attributes: {} })
  const stored = async () => {
    const events: Event[] = []
    for await (const one of store.events(testCtx(t))) events.push(one)
    return events
  }
  onBehalfOf({ uid: 7 }, () => store.writeSoon((tx) => tx.event(event('first'))))
  const calledBy = BigInt(Date.now() + 1) * 1_000_000n
  await sleep(2)
  store.write((tx) => tx.event(event('second')))
  store.writeSoon((tx) => tx.event(event('third')))
  const events = await stored()
  assert.deepEqual(
    events.map(({ action, actor }) => [action, actor]),
    [
      ['first', { uid: 7 }],
      ['second', undefined],
      ['third', undefined],
    ],
  )
  assert.ok(events[0]!.timeNs <= calledBy, 'it bears the time of the call')
})

test('what is written soon comes by itself, and with the close at the latest; what fails stops nobody', async (t) => {
  const store = temporaryStore(t)
  const events = store.events(testCtx(t), { after: 'last', follow: true })
  store.writeSoon((tx) => tx.event({ kind: 'Image', action: 'pull', uid: 'u', name: 'n', attributes: {} }))
  for await (const { action } of events) {
    assert.equal(action, 'pull')
    break
  }
  store.writeSoon(() => {
    throw new Error('wrong')
  })
  assert.equal(
    store.write((tx) => tx.revision()),
    0,
  )
})
