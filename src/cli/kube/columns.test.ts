import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CREATED,
  sampleConfigMap,
  sampleNamespace,
  samplePod,
  sampleReplicaSet,
  sampleSecret,
  sampleService,
} from '../../../test/support/kube-samples.ts'
import type { WireObject } from '../../api/raind/index.ts'
import { type ColumnOptions, headerOf, rowOf } from './columns.ts'

const NOW = Date.parse(CREATED) + 90_000

/** Cells by their headers. */
function cells(object: WireObject, options: ColumnOptions = {}): Record<string, string> {
  const [header, row] = [headerOf(object.kind, options), rowOf(object, options, NOW)]
  assert.equal(row.length, header.length)
  return Object.fromEntries(header.map((title, index) => [title, row[index]!]))
}

test('pods', () => {
  assert.deepEqual(cells(samplePod()), { NAME: 'web', READY: '1/1', STATUS: 'Running', RESTARTS: '0', AGE: '90s' })
  assert.equal(cells(samplePod(), { wide: true })['IP'], '10.88.0.5')
  assert.equal(cells(samplePod({ status: { phase: 'Pending' } }), { wide: true })['IP'], '<none>')
})

test('replica sets', () => {
  const set = sampleReplicaSet({
    selector: {
      matchLabels: { b: '2', a: '1' },
      matchExpressions: [
        { key: 'env', operator: 'In', values: ['y', 'x'] },
        { key: 'env', operator: 'NotIn', values: ['z'] },
        { key: 'here', operator: 'Exists' },
        { key: 'gone', operator: 'DoesNotExist' },
      ],
    },
  })
  assert.deepEqual(cells(set, { wide: true }), {
    ...{ NAME: 'web', DESIRED: '3', CURRENT: '2', READY: '1', AGE: '90s' },
    ...{ CONTAINERS: 'app,log', IMAGES: 'busybox,alpine' },
    SELECTOR: 'a=1,b=2,env in (x,y),env notin (z),here,!gone',
  })
})

test('services', () => {
  const ports = [
    { port: 80, nodePort: 30080 },
    { port: 53, protocol: 'UDP' as const },
  ]
  const service = sampleService({ type: 'NodePort', clusterIP: '10.96.0.9', ports, selector: { app: 'web' } })
  assert.deepEqual(cells(service, { wide: true }), {
    ...{ NAME: 'front', TYPE: 'NodePort', 'CLUSTER-IP': '10.96.0.9', 'EXTERNAL-IP': '<none>' },
    ...{ 'PORT(S)': '80:30080/TCP,53/UDP', AGE: '90s', SELECTOR: 'app=web' },
  })
  const headless = cells(sampleService({ clusterIP: 'None' }), { wide: true })
  assert.deepEqual(
    [headless['TYPE'], headless['CLUSTER-IP'], headless['PORT(S)'], headless['SELECTOR']],
    ['ClusterIP', 'None', '<none>', '<none>'],
  )
  const balanced = sampleService({ type: 'LoadBalancer' })
  assert.equal(cells(balanced)['EXTERNAL-IP'], '<pending>')
  const given = sampleService(
    { type: 'LoadBalancer', externalIPs: ['1.1.1.1'] },
    { loadBalancer: { ingress: [{ ip: '9.9.9.9' }] } },
  )
  assert.equal(cells(given)['EXTERNAL-IP'], '9.9.9.9,1.1.1.1')
})

test('config maps, secrets and namespaces', () => {
  assert.equal(cells(sampleConfigMap({ data: { a: '', b: '' }, binaryData: { c: '' } }))['DATA'], '3')
  assert.equal(cells(sampleConfigMap({}))['DATA'], '0')
  assert.deepEqual(cells(sampleSecret({ a: 'eA==' })), { NAME: 'keys', TYPE: 'Opaque', DATA: '1', AGE: '90s' })
  assert.deepEqual(cells(sampleNamespace()), { NAME: 'team', STATUS: 'Active', AGE: '90s' })
})

test('a namespace goes first, labels last, and a kind before the name', () => {
  const options = { namespace: true, labels: true, wide: true, prefix: 'pod/' }
  assert.deepEqual(headerOf('Pod', options), [
    'NAMESPACE',
    'NAME',
    'READY',
    'STATUS',
    'RESTARTS',
    'AGE',
    'IP',
    'LABELS',
  ])
  const row = rowOf(samplePod(), options, NOW)
  assert.deepEqual([row[0], row[1], row.at(-1)], ['default', 'pod/web', 'app=web'])
  assert.equal(rowOf(samplePod({ metadata: { labels: {} } }), options, NOW).at(-1), '<none>')
})
