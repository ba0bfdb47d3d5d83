import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertAll } from './manifest-failure.ts'
import { type Reading, readManifests } from './read-manifests.ts'

type ReadingManifests = Extract<Reading, { readonly as: 'manifests' }>

async function read(object: object, reading: Partial<ReadingManifests> = {}) {
  const [one] = assertAll(await readManifests(JSON.stringify(object), { as: 'manifests', ...reading }))
  return one!
}

const configMap = (metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', ...metadata },
})

describe('a variable that a container has twice', () => {
  const containers = [
    {
      name: 'app',
      image: 'web',
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
        { name: 'A', value: '3' },
      ],
    },
  ]
  const left = [
    { name: 'B', value: '2' },
    { name: 'A', value: '3' },
  ]

  test('of a pod: the last one counts, and the reply says so', async () => {
    const { manifest, warnings } = await read({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers },
    })
    assert.deepEqual(manifest.kind === 'Pod' && manifest.spec.containers[0]!.env, left)
    assert.deepEqual(warnings, ['spec.containers[0].env[0] is hidden by spec.containers[0].env[2]: both are "A"'])
  })

  test('of the template of a replica set, in an init container', async () => {
    const labels = { app: 'web' }
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: 'b', image: 'i' }], initContainers: containers },
    }
    const spec = { selector: { matchLabels: labels }, template }
    const { manifest, warnings } = await read({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'r' },
      spec,
    })
    assert.deepEqual(manifest.kind === 'ReplicaSet' && manifest.spec.template!.spec!.initContainers![0]!.env, left)
    assert.match(warnings[0]!, /^spec\.template\.spec\.initContainers\[0\]\.env\[0\] is hidden/)
  })

  test('lists of every odd kind are left to the schema', async () => {
    for (const env of [{}, 'x', [1, null], [{ name: {} }, { name: {} }], [null, null]]) {
      const spec = { containers: [{ name: 'app', image: 'web', env }] }
      await assert.rejects(read({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec }), /env/)
    }
  })
})

describe('the namespace that is asked for', () => {
  test('is that of what names none', async () => {
    assert.equal((await read(configMap(), { namespace: 'blue' })).manifest.metadata.namespace, 'blue')
    assert.equal(
      (await read(configMap({ namespace: 'blue' }), { namespace: 'blue' })).manifest.metadata.namespace,
      'blue',
    )
    assert.equal((await read(configMap(), {})).manifest.metadata.namespace, undefined)
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'red' } }
    assert.equal((await read(namespace, { namespace: 'blue' })).manifest.metadata.namespace, undefined)
  })

  test('is no other than what the manifest names', async () => {
    const message = /ConfigMap "c" is of namespace "red", and not of "blue"/
    await assert.rejects(read(configMap({ namespace: 'red' }), { namespace: 'blue' }), message)
    const text = JSON.stringify(configMap({ namespace: 'red' }))
    const named = (namespace?: string) => readManifests(text, { as: 'names', ...(namespace && { namespace }) })
    await assert.rejects(named('blue').then(assertAll), message)
    assert.equal(assertAll(await named())[0]!.namespace, 'red')
  })
})

test('the object that a manifest was read from is kept, what it says of it is none of the manifest', async () => {
  const { manifest, precondition } = await read(configMap({ uid: 'u', resourceVersion: '7' }))
  assert.deepEqual(precondition, { uid: 'u', resourceVersion: '7' })
  assert.deepEqual(manifest.metadata, { name: 'c' })
  assert.deepEqual((await read(configMap({ uid: '', resourceVersion: null }))).precondition, {})
})

test('of manifests for the original of Raind an apiVersion may be missing', async () => {
  const object = {
    kind: 'ReplicaSet',
    metadata: { name: 'r' },
    spec: { template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
  }
  await assert.rejects(read(object), /apiVersion is required/)
  const { manifest, warnings } = await read(object, { raind: { zeroReplicas: false } })
  assert.equal(manifest.apiVersion, 'apps/v1')
  assert.equal(warnings[0], 'apiVersion is missing: apps/v1 is taken')
  await assert.rejects(read({ ...object, apiVersion: 'v7' }, { raind: { zeroReplicas: false } }), /not v7/)
})
