import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { temporaryStore, testCtx } from '../../test/fixtures/temporary-store.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Digest } from '../model/digest.ts'
import type { Pull } from '../model/image.ts'
import type { Store, WriteTx } from './index.ts'

const UIDS = ['u0', 'u1', 'u2', 'u3']
const NAMES = ['n0', 'n1', 'n2']
const NAMESPACES = ['default', 'other']

interface Step {
  readonly action: 'create' | 'rename' | 'label' | 'status' | 'delete' | 'fail'
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly value: string
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom('create', 'create', 'create', 'rename', 'label', 'status', 'delete', 'fail'),
  uid: fc.constantFrom(...UIDS),
  name: fc.constantFrom(...NAMES),
  namespace: fc.constantFrom(...NAMESPACES),
  value: fc.constantFrom('x', 'y'),
})

function take(tx: WriteTx, { action, uid, name, namespace, value }: Step): void {
  const current = tx.getByUid('Pull', uid)
  const put = (metadata: Partial<Pull['metadata']>) =>
    current && tx.put('Pull', { ...current, metadata: { ...current.metadata, ...metadata } })
  if (action === 'create') {
    const spec = { platform: { os: 'linux', architecture: value } }
    tx.create('Pull', { uid, name, namespace, spec, status: { blobs: [], chainIds: [] } })
  }
  if (action === 'rename') put({ name })
  if (action === 'label') put({ labels: { [name]: value } })
  if (action === 'status') tx.putStatus('Pull', uid, { blobs: [value as Digest] })
  if (action === 'delete') tx.delete('Pull', uid)
  if (action === 'fail') throw new Error('given up')
}

/** What matters of an object, in a model of a few lines: a Map from uid, in order of creation. */
interface Entry {
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly architecture: string
  readonly blobs: readonly string[]
}
type Model = ReadonlyMap<string, Entry>

/** The model after the step; undefined if it must be refused. */
function imagine(model: Model, { action, uid, name, namespace, value }: Step): Model | undefined {
  const current = model.get(uid)
  const next = new Map(model)
  const isFree = (space: string) =>
    ![...model].some(([other, entry]) => other !== uid && entry.name === name && entry.namespace === space)
  switch (action) {
    case 'create':
      if (current !== undefined || !isFree(namespace)) return undefined
      return next.set(uid, { namespace, name, labels: {}, architecture: value, blobs: [] })
    case 'rename':
      if (current === undefined) return model
      return isFree(current.namespace) ? next.set(uid, { ...current, name }) : undefined
    case 'label':
      return current === undefined ? model : next.set(uid, { ...current, labels: { [name]: value } })
    case 'status':
      return current === undefined ? undefined : next.set(uid, { ...current, blobs: [value] })
    case 'delete':
      next.delete(uid)
      return next
    case 'fail':
      return undefined
  }
}

function entryOf({ metadata, spec, status }: Pull): Entry {
  const { namespace, name, labels } = metadata
  return { namespace, name, labels, architecture: spec.platform.architecture, blobs: status.blobs }
}

function check(store: Store, model: Model): void {
  store.read((tx) => {
    const pairs = (objects: readonly Pull[]) => objects.map((object) => [object.metadata.uid, entryOf(object)])
    assert.deepEqual(pairs(tx.list('Pull')), [...model])
    for (const uid of UIDS) assert.equal(tx.getByUid('Pull', uid)?.metadata.uid, model.has(uid) ? uid : undefined)
    for (const namespace of NAMESPACES) {
      const inside = [...model].filter(([, entry]) => entry.namespace === namespace)
      assert.deepEqual(pairs(tx.list('Pull', { namespace })), inside)
      assert.equal(tx.count('Pull', { namespace }), inside.length)
      for (const name of NAMES) {
        const uid = inside.find(([, entry]) => entry.name === name)?.[0]
        assert.equal(tx.get('Pull', name, namespace)?.metadata.uid, uid)
      }
    }
  })
}

/** Follows the log from `after`, object by object, and checks that it leads to the present, without a gap. */
async function checkLog(ctx: Ctx, store: Store, after: number, objects: Map<string, Pull>): Promise<void> {
  const last = store.read((tx) => tx.revision())
  let revision = after
  if (revision < last) {
    for await (const change of store.watch(ctx, { after })) {
      const { uid, resourceVersion } = change.object.metadata
      assert.equal(change.revision, ++revision)
      assert.equal(resourceVersion, revision)
      if (change.action === 'deleted') assert.ok(objects.delete(uid))
      else objects.set(uid, change.object as Pull)
      if (revision === last) break
    }
  }
  assert.deepEqual(
    store.read((tx) => tx.list('Pull')),
    [...objects.values()],
  )
}

test('property: the store does what a Map would, or refuses and leaves no trace; its log tells all of it', async (t) => {
  const store = temporaryStore(t)
  const ctx = testCtx(t)
  const transactions = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(transactions, async (list) => {
      store.write((tx) => {
        for (const { metadata } of tx.list('Pull')) tx.delete('Pull', metadata.uid)
      })
      let model: Model = new Map()
      const objects = new Map<string, Pull>()
      for (const steps of list) {
        const before = store.read((tx) => tx.revision())
        const imagined = steps.reduce<Model | undefined>((now, next) => now && imagine(now, next), model)
        const write = () =>
          store.write((tx) => {
            for (const next of steps) take(tx, next)
          })
        if (imagined === undefined) assert.throws(write, /already exists|is taken|does not exist|given up/)
        else write()
        model = imagined ?? model
        check(store, model)
        await checkLog(ctx, store, before, objects)
      }
    }),
    { numRuns: 60 },
  )
})
