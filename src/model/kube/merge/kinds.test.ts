import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rules } from '../../../lib/schema.ts'
import { KUBE_KINDS, type KubeKind } from '../kinds.ts'
import { applyObject } from './apply-object.ts'

/** What of a kind is merged in another way than field by field, or replaced as a list is; but for its metadata. */
function* mergesOf(rules: Rules, path = ''): Generator<string> {
  if ('anyOf' in rules) for (const choice of rules.anyOf) yield* mergesOf(choice, path)
  if (!('type' in rules)) return
  if (rules.type === 'array') {
    const { merge } = rules
    if (merge === 'set') yield `${path} set`
    else if (merge !== undefined) yield `${path} ${[...merge.keys, ...Object.values(merge.defaults ?? {})].join(' ')}`
    if (merge !== undefined) yield* mergesOf(rules.items, `${path}[]`)
  }
  if (rules.type === 'object') {
    if (rules.merge !== undefined) yield `${path} atomic`
    else for (const [name, below] of Object.entries(rules.properties ?? {})) yield* mergesOf(below, `${path}.${name}`)
  }
}

const merges = (kind: KubeKind) => {
  const found = [...mergesOf(KUBE_KINDS[kind].schema)].filter((text) => !/metadata|^\.spec\.template\.spec/.test(text))
  return found.sort()
}

// x-kubernetes-list-type, -list-map-keys and -map-type of Kubernetes' OpenAPI document, release 1.34.
test('what is merged in a Service', () => {
  assert.deepEqual(merges('Service'), ['.spec.ports port protocol TCP', '.spec.selector atomic'])
})

test('what is merged in a ReplicaSet', () => {
  assert.deepEqual(merges('ReplicaSet'), ['.spec.selector atomic'])
})

test('what is merged in a Pod', () => {
  const container = (list: string) => [
    `.spec.${list} name`,
    `.spec.${list}[].env name`,
    ...['configMapKeyRef', 'fieldRef', 'resourceFieldRef', 'secretKeyRef'].map(
      (source) => `.spec.${list}[].env[].valueFrom.${source} atomic`,
    ),
    `.spec.${list}[].ports containerPort protocol TCP`,
    `.spec.${list}[].volumeMounts mountPath`,
  ]
  assert.deepEqual(
    merges('Pod'),
    [
      ...container('containers'),
      ...container('initContainers'),
      '.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution atomic',
      '.spec.hostAliases ip',
      '.spec.imagePullSecrets name',
      '.spec.imagePullSecrets[] atomic',
      '.spec.nodeSelector atomic',
      '.spec.topologySpreadConstraints topologyKey whenUnsatisfiable',
      '.spec.topologySpreadConstraints[].labelSelector atomic',
      '.spec.volumes name',
    ].sort(),
  )
})

test('what is merged in the metadata of all kinds', () => {
  for (const { schema } of Object.values(KUBE_KINDS)) {
    const found = [...mergesOf(schema)].filter((text) => text.startsWith('.metadata'))
    assert.deepEqual(found, [
      '.metadata.ownerReferences uid',
      '.metadata.ownerReferences[] atomic',
      '.metadata.finalizers set',
    ])
  }
})

test('the managedFields of a pod, as Kubernetes has them after a server-side apply', () => {
  const applied = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      containers: [
        { name: 'web', image: 'nginx', ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  }
  const { managedFields } = applyObject({
    what: 'Pod "web"',
    schema: KUBE_KINDS.Pod.schema,
    live: undefined,
    applied,
    manager: 'kubectl',
    managedFields: [],
    time: '2026-01-01T00:00:00Z',
  })
  assert.deepEqual(managedFields[0]!.fieldsV1, {
    'f:metadata': { 'f:labels': { 'f:app': {} } },
    'f:spec': {
      'f:containers': {
        'k:{"name":"web"}': {
          '.': {},
          'f:image': {},
          'f:name': {},
          'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          'f:resources': { 'f:limits': { 'f:cpu': {} } },
        },
      },
      'f:volumes': { 'k:{"name":"data"}': { '.': {}, 'f:emptyDir': {}, 'f:name': {} } },
    },
  })
})
