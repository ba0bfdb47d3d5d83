import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setDefaults } from './defaults.ts'
import { immutableChanges } from './immutable-changes.ts'
import { KUBE_KINDS, type KubeKind } from './kinds.ts'
import { readObject } from './read-object.ts'

function read(kind: KubeKind, rest: object) {
  const value = { apiVersion: KUBE_KINDS[kind].apiVersion, kind, metadata: { name: 'web' }, ...rest }
  return setDefaults(readObject(value, 'x').object)
}
const changes = (kind: KubeKind) => (before: object, after: object) =>
  immutableChanges(read(kind, before), read(kind, after)).map(({ path, problem }) => `"${path}" ${problem}`)

test('of a pod images, its deadline and tolerations can change', () => {
  const base = {
    activeDeadlineSeconds: 60,
    containers: [
      { name: 'a', image: 'a:1', env: [{ name: 'A', value: '1' }], resources: { limits: { cpu: '1000m' } } },
      { name: 'b', image: 'b:1' },
    ],
    initContainers: [{ name: 'i', image: 'i:1' }],
  }
  const [first, second] = base.containers
  const from = (spec: object) => changes('Pod')({ spec: base }, { spec: { ...base, ...spec } })
  const cases: readonly [object, readonly string[]][] = [
    [{}, []],
    [{ containers: [{ ...first, image: 'a:2' }, second], initContainers: [{ name: 'i', image: 'i:2' }] }, []],
    [{ activeDeadlineSeconds: 30, tolerations: [{ key: 'a' }] }, []],
    [{ activeDeadlineSeconds: 90 }, ['"spec.activeDeadlineSeconds" can be set or lowered, but it was 60']],
    [{ activeDeadlineSeconds: null }, ['"spec.activeDeadlineSeconds" can be set or lowered, but it was 60']],
    [{ containers: [{ ...first, resources: { limits: { cpu: 1 } } }, second] }, []],
    [
      { containers: [{ ...first, resources: { limits: { cpu: 2 } } }, second] },
      [
        '"spec.containers[0].resources.limits.cpu" cannot change',
        '"spec.containers[0].resources.requests.cpu" cannot change',
      ],
    ],
    [
      {
        containers: [
          { ...first, env: [{ name: 'A', value: '2' }] },
          { ...second, tty: true },
        ],
        hostname: 'x',
      },
      [
        '"spec.containers[0].env[0].value" cannot change',
        '"spec.containers[1].tty" cannot change',
        '"spec.hostname" cannot change',
      ],
    ],
    [{ containers: [first] }, ['"spec.containers" cannot change']],
    [{ terminationGracePeriodSeconds: 5 }, ['"spec.terminationGracePeriodSeconds" cannot change']],
  ]
  for (const [spec, wanted] of cases) assert.deepEqual(from(spec), wanted, JSON.stringify(spec))
})

test('of a pod a deadline can be set where there was none', () => {
  const containers = [{ name: 'a', image: 'a' }]
  assert.deepEqual(changes('Pod')({ spec: { containers } }, { spec: { containers, activeDeadlineSeconds: 5 } }), [])
})

test('of a ReplicaSet all but the selector can change', () => {
  const set = (selected: object, replicas: number) => {
    const template = {
      metadata: { labels: { app: 'web', tier: 'x' } },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    }
    return { spec: { replicas, selector: { matchLabels: selected }, template } }
  }
  assert.deepEqual(changes('ReplicaSet')(set({ app: 'web' }, 1), set({ app: 'web' }, 2)), [])
  assert.deepEqual(changes('ReplicaSet')(set({ app: 'web' }, 1), set({ tier: 'x' }, 1)), [
    '"spec.selector.matchLabels.app" cannot change',
    '"spec.selector.matchLabels.tier" cannot change',
  ])
})

test('a Service keeps its address', () => {
  const service = (spec: object) => ({ spec: { ports: [{ port: 80 }], ...spec } })
  const from = (before: object, after: object) => changes('Service')(service(before), service(after))
  assert.deepEqual(from({ clusterIP: '10.0.0.1' }, { ports: [{ port: 81 }], type: 'NodePort' }), [])
  assert.deepEqual(from({}, { clusterIP: '10.0.0.1' }), [])
  assert.deepEqual(from({ clusterIP: '10.0.0.1' }, { clusterIP: 'None' }), [
    '"spec.clusterIP" cannot change from 10.0.0.1 to None',
  ])
})

test('what is immutable keeps its data, and stays so; a Secret its type in any case', () => {
  const from = changes('ConfigMap')
  assert.deepEqual(from({ data: { a: '1' } }, { data: { a: '2' } }), [])
  assert.deepEqual(from({ data: { a: '1' } }, { data: { a: '2' }, immutable: true }), [])
  assert.deepEqual(
    from(
      { data: { a: '1' }, immutable: true },
      { data: { a: '1' }, immutable: true, metadata: { name: 'web', labels: { a: 'b' } } },
    ),
    [],
  )
  assert.deepEqual(from({ data: { a: '1' }, immutable: true }, { data: { a: '2' }, binaryData: { b: '' } }), [
    '"immutable" cannot change: the ConfigMap is immutable',
    '"data.a" cannot change: the ConfigMap is immutable',
    '"binaryData" cannot change: the ConfigMap is immutable',
  ])
  assert.deepEqual(changes('Secret')({ type: 'a' }, { type: 'b' }), ['"type" cannot change'])
  assert.deepEqual(changes('Secret')({ stringData: { a: '1' }, immutable: true }, { immutable: true }), [
    '"data" cannot change: the Secret is immutable',
  ])
})
