import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  exampleConfigMap,
  exampleContainer,
  exampleNode,
  examplePod,
  exampleSecret,
  lookupOf,
} from '../../../test/fixtures/pod-example.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { EnvVarSource } from '../../model/kube/env.ts'
import { containerEnv, type EnvInput } from './env.ts'

const lookup = lookupOf(
  exampleConfigMap('settings', {
    data: { LEVEL: 'debug', 'log.file': '/var/log', '1st': 'one' },
    binaryData: { BIN: 'AA==' },
  }),
  exampleSecret('keys', { TOKEN: 'tök', LEVEL: 'secret' }),
)
const pod = examplePod(
  {
    containers: [
      exampleContainer({ resources: { limits: { cpu: '1500m' }, requests: { cpu: '250m', memory: '64Mi' } } }),
      exampleContainer({ name: 'other', resources: { limits: { memory: '1Gi', 'hugepages-2Mi': '4Mi' } } }),
    ],
  },
  { labels: { app: 'web', 'example.com/tier': 'front' }, annotations: { note: "it's" } },
)

function envOf(container: Partial<PodContainer>, input: Partial<EnvInput> = {}): Record<string, string> {
  return Object.fromEntries(
    containerEnv({
      pod,
      container: { ...pod.spec.containers[0]!, ...container },
      podIps: ['10.0.0.5', 'fd00::5'],
      hostIps: ['192.0.2.1'],
      node: exampleNode(),
      lookup,
      ...input,
    }),
  )
}

const valueFrom = (source: EnvVarSource) => envOf({ env: [{ name: 'X', valueFrom: source }] })['X']
const configFault = (message: string | RegExp) => ({
  code: 'failed_precondition',
  message,
  details: { reason: 'CreateContainerConfigError' },
})

test('values may name those that were defined before, and no others', () => {
  const env = envOf({
    env: [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)-$(C)-$$(A)' },
      { name: 'C', value: '$(B)' },
      { name: 'A', value: '$(A)$(A)' },
      { name: 'D', value: '$(A)' },
      { name: 'EMPTY' },
    ],
  })
  assert.deepEqual(env, { A: 'aa', B: 'a-$(C)-$(A)', C: 'a-$(C)-$(A)', D: 'aa', EMPTY: '' })
})

test('envFrom: all keys, in turn, with a prefix; env wins', () => {
  const configMapRef = { name: 'settings' }
  assert.deepEqual(envOf({ envFrom: [{ configMapRef }] }), { LEVEL: 'debug', 'log.file': '/var/log', '1st': 'one' })
  const env = envOf({
    envFrom: [{ configMapRef }, { secretRef: { name: 'keys' } }, { prefix: 'CM_', configMapRef }],
    env: [
      { name: 'TOKEN', value: 'own' },
      { name: 'FROM', value: '$(CM_LEVEL)' },
    ],
  })
  assert.deepEqual([env['LEVEL'], env['TOKEN'], env['CM_LEVEL'], env['FROM']], ['secret', 'own', 'debug', 'debug'])
  assert.deepEqual(envOf({ envFrom: [{ prefix: 'no=name', configMapRef }] }), {})
})

test('fieldRef', () => {
  const cases: readonly [string, string][] = [
    ['metadata.name', 'web'],
    ['metadata.namespace', 'default'],
    ['metadata.uid', '11111111-2222-3333-4444-555555555555'],
    ["metadata.labels['app']", 'web'],
    ["metadata.labels['example.com/tier']", 'front'],
    ["metadata.labels['absent']", ''],
    ["metadata.labels['constructor']", ''],
    ["metadata.annotations['note']", "it's"],
    ['spec.nodeName', 'node-1'],
    ['spec.serviceAccountName', 'default'],
    ['status.podIP', '10.0.0.5'],
    ['status.podIPs', '10.0.0.5,fd00::5'],
    ['status.hostIP', '192.0.2.1'],
    ['status.hostIPs', '192.0.2.1'],
  ]
  for (const [fieldPath, expected] of cases) assert.equal(valueFrom({ fieldRef: { fieldPath } }), expected, fieldPath)
  assert.throws(() => valueFrom({ fieldRef: { fieldPath: 'spec.hostname' } }), configFault(/spec.hostname/))
})

test('resourceFieldRef: by divisor, rounded up; a limit that is not set is what the node has', () => {
  const cases: readonly [NonNullable<EnvVarSource['resourceFieldRef']>, string][] = [
    [{ resource: 'limits.cpu' }, '2'],
    [{ resource: 'limits.cpu', divisor: '1m' }, '1500'],
    [{ resource: 'requests.cpu' }, '1'],
    [{ resource: 'requests.cpu', divisor: '100m' }, '3'],
    [{ resource: 'requests.memory' }, String(64 * 2 ** 20)],
    [{ resource: 'requests.memory', divisor: '1M' }, '68'],
    [{ resource: 'limits.memory', divisor: '1Gi' }, '8'],
    [{ resource: 'limits.memory', divisor: '0', containerName: 'other' }, String(2 ** 30)],
    [{ resource: 'limits.cpu', containerName: 'other' }, '4'],
    [{ resource: 'requests.cpu', containerName: 'other' }, '0'],
    [{ resource: 'limits.ephemeral-storage', divisor: '1Gi' }, '100'],
    [{ resource: 'requests.ephemeral-storage' }, '0'],
    [{ resource: 'limits.hugepages-2Mi', divisor: '1Mi', containerName: 'other' }, '4'],
  ]
  for (const [resourceFieldRef, expected] of cases) {
    assert.equal(valueFrom({ resourceFieldRef }), expected, JSON.stringify(resourceFieldRef))
  }
  const refused =
    (resource: string, containerName = '') =>
    () =>
      valueFrom({ resourceFieldRef: { resource, containerName } })
  assert.throws(refused('limits.gpu'), configFault(/limits.gpu/))
  assert.throws(refused('limits.cpu', 'nobody'), configFault('container nobody not found'))
})

test('keys of ConfigMaps and Secrets', () => {
  assert.equal(valueFrom({ configMapKeyRef: { name: 'settings', key: 'LEVEL' } }), 'debug')
  assert.equal(valueFrom({ secretKeyRef: { name: 'keys', key: 'TOKEN' } }), 'tök')
  // Its value is taken as it is.
  const secret = lookupOf(exampleSecret('keys', { A: '$(HOME)' }))
  const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'keys', key: 'A' } } }]
  assert.deepEqual(envOf({ env }, { lookup: secret }), { X: '$(HOME)' })
})

test('what is absent keeps the container from being made, unless it is optional', () => {
  const cases: readonly [Partial<PodContainer>, string][] = [
    [{ envFrom: [{ configMapRef: { name: 'x' } }] }, 'configmap "x" not found'],
    [{ envFrom: [{ secretRef: { name: 'x' } }] }, 'secret "x" not found'],
    [{ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'x', key: 'a' } } }] }, 'configmap "x" not found'],
    [{ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'x', key: 'a' } } }] }, 'secret "x" not found'],
    [
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }] },
      "couldn't find key a in ConfigMap default/settings",
    ],
    [
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'settings', key: 'BIN' } } }] },
      "couldn't find key BIN in ConfigMap default/settings",
    ],
    [
      { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'keys', key: 'toString' } } }] },
      "couldn't find key toString in Secret default/keys",
    ],
  ]
  for (const [container, message] of cases) assert.throws(() => envOf(container), configFault(message))
  const optional = true
  assert.deepEqual(
    envOf({
      envFrom: [{ configMapRef: { name: 'x', optional } }, { secretRef: { name: 'x', optional } }],
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'x', key: 'a', optional } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'keys', key: 'a', optional } } },
      ],
    }),
    {},
  )
})
