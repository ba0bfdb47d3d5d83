import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arbitraryOfSchema } from '../../../test/support/arbitrary-of-schema.ts'
import { examine } from '../../lib/examine.ts'
import type { ObjectRules } from '../../lib/schema.ts'
import { setDefaults } from './defaults.ts'
import { immutableChanges } from './immutable-changes.ts'
import { KUBE_KINDS, type KubeKind, type KubeManifest } from './kinds.ts'
import { readObject } from './read-object.ts'
import { manifestFaults } from './validate/manifest.ts'

const read = (kind: KubeKind, rest: object): KubeManifest =>
  readObject({ apiVersion: KUBE_KINDS[kind].apiVersion, kind, metadata: { name: 'web' }, ...rest }, 'x').object

/** Manifests that have the fields and types of their schema, whatever else is wrong with them. */
const manifests = fc.oneof(
  ...Object.values(KUBE_KINDS).map(({ schema }) =>
    // What is refused or dropped is not in a manifest that was read.
    arbitraryOfSchema(schema, { without: (path) => isMarked(path, schema as ObjectRules) }),
  ),
) as fc.Arbitrary<KubeManifest>

function isMarked(path: string, rules: ObjectRules): boolean {
  const [name = '', ...rest] = path.split('.')
  if (rest.length === 0) return (rules.marks?.[name] ?? []).some(({ verdict }) => verdict !== 'ignored')
  let below = rules.properties?.[name]
  while (below !== undefined && 'type' in below && below.type === 'array') below = below.items
  return below !== undefined && 'type' in below && below.type === 'object' && isMarked(rest.join('.'), below)
}

test('what has its defaults stays as it is', () => {
  fc.assert(
    fc.property(manifests, (manifest) => {
      const once = setDefaults(manifest)
      assert.deepEqual(setDefaults(once), once)
      assert.deepEqual(immutableChanges(once, setDefaults(once)), [])
    }),
    { numRuns: 200 },
  )
})

test('defaults fit the schema, and neither mend faults nor make any', () => {
  fc.assert(
    fc.property(manifests, (manifest) => {
      const complete = setDefaults(manifest)
      assert.deepEqual(examine<unknown>(KUBE_KINDS[manifest.kind].schema, complete).faults, [])
      assert.equal(manifestFaults(complete).length === 0, manifestFaults(manifest).length === 0)
    }),
    { numRuns: 200 },
  )
})

test('defaults of a pod', () => {
  const pod = read('Pod', {
    spec: {
      containers: [
        {
          name: 'web',
          image: 'nginx',
          ports: [{ containerPort: 80 }],
          env: [
            { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: 1 } } },
          ],
          resources: { limits: { cpu: 1, memory: '64Mi' }, requests: { cpu: '500m' } },
          livenessProbe: { httpGet: { port: 80 }, periodSeconds: 0 },
          lifecycle: { preStop: { httpGet: { port: 80, path: '/bye', scheme: 'HTTPS' } } },
        },
      ],
      initContainers: [{ name: 'init', image: 'nginx:1.27' }],
      volumes: [
        { name: 'a' },
        { name: 'b', configMap: { name: 'c' } },
        { name: 'c', secret: { secretName: 's', defaultMode: 0o400 } },
        { name: 'd', hostPath: { path: '/x' } },
        { name: 'e', emptyDir: { medium: 'Memory', sizeLimit: 1024 } },
      ],
    },
  })
  const complete = setDefaults(pod)
  assert.deepEqual(readObject(complete, 'x'), { object: complete, warnings: [] })
  assert.deepEqual(complete, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: 'web',
          image: 'nginx',
          imagePullPolicy: 'Always',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          env: [
            { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
            { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1' } } },
          ],
          resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '500m', memory: '64Mi' } },
          livenessProbe: {
            httpGet: { port: 80, path: '/', scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
          lifecycle: { preStop: { httpGet: { port: 80, path: '/bye', scheme: 'HTTPS' } } },
        },
      ],
      initContainers: [
        {
          name: 'init',
          image: 'nginx:1.27',
          imagePullPolicy: 'IfNotPresent',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', configMap: { name: 'c', defaultMode: 0o644 } },
        { name: 'c', secret: { secretName: 's', defaultMode: 0o400 } },
        { name: 'd', hostPath: { path: '/x', type: '' } },
        { name: 'e', emptyDir: { medium: 'Memory', sizeLimit: '1024' } },
      ],
    },
  })
})

test('an image is pulled always if its tag is latest, or it has neither tag nor digest', () => {
  const cases: readonly [string, string][] = [
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['localhost:5000/nginx', 'Always'],
    ['localhost:5000/nginx:1', 'IfNotPresent'],
    [`nginx@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
    [`nginx:latest@sha256:${'0'.repeat(64)}`, 'Always'],
  ]
  for (const [image, policy] of cases) {
    const pod = setDefaults(read('Pod', { spec: { containers: [{ name: 'web', image }] } }))
    assert.equal(pod.kind === 'Pod' && pod.spec.containers[0]!.imagePullPolicy, policy, image)
  }
})

test('on the host network a port is one of the host, in pods and not in templates', () => {
  const spec = { hostNetwork: true, containers: [{ name: 'web', image: 'a', ports: [{ containerPort: 80 }] }] }
  const pod = setDefaults(read('Pod', { spec }))
  assert.equal(pod.kind === 'Pod' && pod.spec.containers[0]!.ports![0]!.hostPort, 80)
  const template = { metadata: { labels: { app: 'web' } }, spec }
  const set = setDefaults(read('ReplicaSet', { spec: { selector: { matchLabels: { app: 'web' } }, template } }))
  assert(set.kind === 'ReplicaSet')
  assert.deepEqual(set.spec.template.spec.containers[0]!.ports, [{ containerPort: 80, protocol: 'TCP' }])
  assert.equal(set.spec.replicas, 1)
  assert.deepEqual(set.metadata, { name: 'web', namespace: 'default', labels: { app: 'web' } })
})

test('a time below 0 to end in is 1 s', () => {
  const pod = setDefaults(
    read('Pod', { spec: { terminationGracePeriodSeconds: -5, containers: [{ name: 'a', image: 'a' }] } }),
  )
  assert.equal(pod.kind === 'Pod' && pod.spec.terminationGracePeriodSeconds, 1)
})

test('defaults of the other kinds', () => {
  const service = setDefaults(
    read('Service', {
      spec: {
        ports: [{ port: 80 }, { port: 53, protocol: 'UDP', targetPort: 'dns' }].map((port, index) => ({
          ...port,
          name: `p${index}`,
        })),
      },
    }),
  )
  assert(service.kind === 'Service')
  assert.deepEqual(service.spec, {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ports: [
      { name: 'p0', port: 80, protocol: 'TCP', targetPort: 80 },
      { name: 'p1', port: 53, protocol: 'UDP', targetPort: 'dns' },
    ],
  })
  const secret = setDefaults(read('Secret', { data: { a: 'AAE=', b: 'AAE=' }, stringData: { b: 'ü' } }))
  assert.deepEqual(secret, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'web', namespace: 'default' },
    type: 'Opaque',
    data: { a: 'AAE=', b: 'w7w=' },
  })
  assert.deepEqual(setDefaults(read('Namespace', { metadata: { name: 'web', labels: { a: 'b' } } })).metadata, {
    name: 'web',
    labels: { a: 'b', 'kubernetes.io/metadata.name': 'web' },
  })
  assert.deepEqual(setDefaults(read('ConfigMap', { metadata: { name: 'c', namespace: 'n' } })).metadata, {
    name: 'c',
    namespace: 'n',
  })
})
