import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFaults, faultsOf, OK } from '../../../../test/support/check-manifests.ts'

const template = { containers: [{ name: 'web', image: 'nginx' }] }
const pod = (spec: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { ...template, ...spec },
})
const object = (kind: string, rest: object) => ({ apiVersion: 'v1', kind, metadata: { name: 'web' }, ...rest })

test('names and metadata', () => {
  const named = (kind: string) => (metadata: object) => ({
    ...pod({}),
    ...(kind === 'Pod' ? {} : { spec: null }),
    kind,
    metadata,
  })
  checkFaults(named('Pod'), [
    [{ name: 'web.example' }, OK],
    [{ name: '1web' }, OK],
    [{ generateName: 'web-' }, OK],
    [{}, '"metadata.name" is missing'],
    [{ name: 'Web' }, /^"metadata.name" must be made of lower-case letters/],
    [{ name: 'web-' }, /"metadata.name" must be made/],
    [{ name: 'a..b' }, /"metadata.name" must be made/],
    [{ name: 'a'.repeat(254) }, '"metadata.name" may have at most 253 characters'],
    [{ name: 'web', namespace: 'a.b' }, /"metadata.namespace" must be made/],
    [{ name: 'web', labels: { 'example.com/app': 'A_b.c-1', app: '' } }, OK],
    [{ name: 'web', labels: { 'a/b/c': 'x' } }, /"metadata.labels.a\/b\/c" has an invalid key/],
    [{ name: 'web', labels: { 'Example.com/a': 'x' } }, /invalid key: it has an invalid domain before "\/"/],
    [{ name: 'web', labels: { app: '-x' } }, /"metadata.labels.app" must be made of letters/],
    [{ name: 'web', labels: { app: 'x'.repeat(64) } }, /may have at most 63/],
    [{ name: 'web', annotations: { 'Example.com/A': 'any thing' } }, OK],
    [{ name: 'web', annotations: { 'a b': '' } }, /"metadata.annotations.a b" has an invalid key/],
    [{ name: 'web', annotations: { a: 'x'.repeat(256 * 1024) } }, /256 KiB/],
    [{ name: 'web', finalizers: ['example.com/x'] }, OK],
    [{ name: 'web', finalizers: ['not good'] }, /"metadata.finalizers\[0\]" must be made/],
    [
      { name: 'web', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: 'u' }] },
      /\[0\].name" must not be empty/,
    ],
  ])
  checkFaults(named('Namespace'), [
    [{ name: 'web' }, OK],
    [{ name: 'a.b' }, /"metadata.name" must be made/],
    [{ name: 'web', namespace: 'x' }, /"metadata.namespace" must be absent/],
  ])
})

test('replica sets', () => {
  const labels = { app: 'web' }
  const set = (spec: object) => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: template }, ...spec },
  })
  checkFaults(set, [
    [{}, OK],
    [{ replicas: -1 }, /replicas" must be at least 0/],
    [{ selector: {} }, '"spec.selector" must not be empty'],
    [
      { selector: { matchLabels: { app: 'db' } } },
      '"spec.template.metadata.labels" must be selected by "spec.selector"',
    ],
    [{ selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] } }, OK],
    [{ selector: { matchExpressions: [{ key: 'app', operator: 'NotIn' }] } }, /values" must not be empty with NotIn/],
    [
      { selector: { matchExpressions: [{ key: 'app', operator: 'Exists', values: ['a'] }] } },
      /must be absent with Exists/,
    ],
    [{ template: { spec: template } }, /labels" must be selected/],
    [
      { template: { metadata: { labels }, spec: { ...template, restartPolicy: 'Never' } } },
      /must be Always in a ReplicaSet/,
    ],
    [{ template: { metadata: { labels }, spec: { ...template, activeDeadlineSeconds: 5 } } }, /must be absent in a/],
    [{ template: { metadata: { labels }, spec: { containers: [] } } }, /"spec.template.spec.containers" must have at/],
  ])
})

test('services', () => {
  const service = (spec: object) => object('Service', { spec: { ports: [{ port: 80 }], ...spec } })
  checkFaults(service, [
    [{ selector: { app: 'web' } }, OK],
    [{ selector: { app: '-' } }, /"spec.selector.app" must be made/],
    [{ ports: [] }, '"spec.ports" must have at least one port'],
    [{ ports: [], clusterIP: 'None' }, OK],
    [{ clusterIP: '' }, OK],
    [{ clusterIP: '10.0.0.5', clusterIPs: ['10.0.0.5'] }, OK],
    [{ clusterIP: '10.0.0.5', clusterIPs: ['10.0.0.6'] }, /clusterIPs\[0\]" must be the same as "spec.clusterIP"/],
    [{ clusterIP: '::1' }, /clusterIP" must be an IPv4 address/],
    [{ clusterIP: 'None', type: 'NodePort' }, /must not be None with "type": "NodePort"/],
    [{ ports: [{ port: 80, name: 'a' }, { port: 81 }] }, /ports\[1\].name" is missing: there is more than one/],
    [
      {
        ports: [
          { port: 80, name: 'a' },
          { port: 81, name: 'a' },
        ],
      },
      /ports\[1\].name" repeats/,
    ],
    [
      {
        ports: [
          { port: 80, name: 'a' },
          { port: 80, name: 'b' },
        ],
      },
      /ports\[1\].port" repeats/,
    ],
    [
      {
        ports: [
          { port: 80, name: 'a' },
          { port: 80, name: 'b', protocol: 'UDP' },
        ],
      },
      OK,
    ],
    [{ ports: [{ port: 80, targetPort: 'http' }] }, OK],
    [{ ports: [{ port: 80, targetPort: 'a port' }] }, /targetPort" must be made/],
    [{ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] }, OK],
    [{ type: 'NodePort', ports: [{ port: 80, nodePort: 8080 }] }, /nodePort" must be from 30000 to 32767, not 8080/],
    [{ ports: [{ port: 80, nodePort: 30_080 }] }, /nodePort" must be absent with "type": "ClusterIP"/],
  ])
  const name = { ...object('Service', { spec: { ports: [{ port: 80 }] } }), metadata: { name: '1web' } }
  assert.match(faultsOf(name), /"metadata.name" must be made of .* beginning with a letter/)
})

test('config maps', () => {
  checkFaults(
    (data) => object('ConfigMap', data),
    [
      [{}, OK],
      [{ data: { 'a.b-C_1': 'x' }, binaryData: { b: 'AAE=' } }, OK],
      [{ data: { 'a/b': 'x' } }, /"data.a\/b" has an invalid key/],
      [{ data: { '..a': 'x' } }, /"data...a" has an invalid key/],
      [{ data: { a: 5 } }, /"data.a" must be a string, not 5/],
      [{ data: { a: '' }, binaryData: { a: '' } }, '"binaryData.a" repeats "data.a"'],
      [{ binaryData: { a: 'A' } }, '"binaryData.a" must be in base64'],
      [{ binaryData: { a: '*AAA' } }, '"binaryData.a" must be in base64'],
      [{ data: { a: 'x'.repeat(1024 * 1024) } }, OK],
      [{ data: { a: 'x'.repeat(1024 * 1024 + 1) } }, '"data" may have at most 1048576 bytes together, not 1048577'],
      [{ data: { a: 'x'.repeat(1024 * 1024) }, binaryData: { b: 'AAE=' } }, /not 1048578/],
    ],
  )
})

test('secrets', () => {
  const auth = Buffer.from('{"auths":{}}').toString('base64')
  checkFaults(
    (data) => object('Secret', data),
    [
      [{ data: { a: 'AAE=' }, stringData: { b: 'plain text' } }, OK],
      [{ data: { a: 'QUJD\nQUJD\n' } }, OK],
      [{ data: { a: 'plain text' } }, '"data.a" must be in base64'],
      [{ stringData: { 'a b': '' } }, /"data.a b" has an invalid key/],
      [{ stringData: { a: 'x'.repeat(1024 * 1024 + 1) } }, /"data" may have at most/],
      [{ type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': auth } }, OK],
      [{ type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'AAE=' } }, /must be JSON in base64/],
      [{ type: 'kubernetes.io/dockerconfigjson' }, /"data..dockerconfigjson" is missing/],
      [{ type: 'kubernetes.io/basic-auth', stringData: { password: 'p' } }, OK],
      [{ type: 'kubernetes.io/basic-auth' }, /"data.username or data.password" is missing/],
      [{ type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'c' } }, /"data.tls.key" is missing/],
      [{ type: 'example.com/own' }, OK],
    ],
  )
})
