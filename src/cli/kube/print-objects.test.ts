import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleConfigMap, sampleReplicaSet } from '../../../test/support/kube-samples.ts'
import type { WireObject } from '../../api/raind/index.ts'
import { formatObjects } from './print-objects.ts'

const map = sampleConfigMap({ data: { off: 'no', text: 'one\ntwo\n', list: '0755' } })

test('YAML has its keys in order, and texts stay texts for a reader of YAML 1.1', async () => {
  assert.equal(
    await formatObjects([map], 'yaml', { single: true }),
    `apiVersion: v1
data:
  list: "0755"
  "off": "no"
  text: |
    one
    two
kind: ConfigMap
metadata:
  creationTimestamp: "2025-01-31T12:00:00Z"
  labels:
    app: settings
  name: settings
  namespace: default
  resourceVersion: "7"
  uid: uid-of-settings
`,
  )
})

test('several objects are a list, one that was asked for is not', async () => {
  const parse = async (objects: WireObject[], single: boolean) => {
    return JSON.parse(await formatObjects(objects, 'json', { single }))
  }
  assert.equal((await parse([map], true)).kind, 'ConfigMap')
  assert.deepEqual(await parse([], false), { apiVersion: 'v1', items: [], kind: 'List', metadata: {} })
  assert.equal((await parse([map, sampleReplicaSet()], false)).items[1].kind, 'ReplicaSet')
})

test('who manages which field is not shown', async () => {
  const managed = {
    ...map,
    metadata: { ...map.metadata, managedFields: [{ manager: 'raind' }] },
  } as unknown as WireObject
  assert.doesNotMatch(await formatObjects([managed], 'yaml', { single: true }), /managedFields/)
})

test('names have their kinds', async () => {
  const objects = [map, sampleReplicaSet()]
  assert.equal(await formatObjects(objects, 'name', { single: false }), 'configmap/settings\nreplicaset.apps/web\n')
})
