import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  exampleConfigMap,
  exampleContainer,
  exampleImage,
  exampleNode,
  examplePod,
  lookupOf,
} from '../../../test/fixtures/pod-example.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { type MemberInput, memberRequest } from './member-request.ts'

function requestOf(
  container: Partial<PodContainer>,
  spec: Partial<Pod['spec']> = {},
  input: Partial<MemberInput> = {},
) {
  const whole = exampleContainer(container)
  return memberRequest({
    pod: examplePod({ containers: [whole], ...spec }),
    container: whole,
    role: { role: 'main', name: 'app', attempt: 3 },
    image: exampleImage(),
    addresses: ['10.0.0.5/24', 'fd00::5/64'],
    hostIp: '192.0.2.1',
    node: exampleNode(),
    lookup: lookupOf(exampleConfigMap('settings', { data: { MODE: 'fast' } })),
    ...input,
  })
}

test('a container that asks for nothing', () => {
  assert.deepEqual(requestOf({}), {
    pod: { uid: '11111111-2222-3333-4444-555555555555', name: 'web', namespace: 'default' },
    role: { role: 'main', name: 'app', attempt: 3 },
    image: 'docker.io/library/busybox:latest',
    command: [],
    env: [],
    tty: false,
    openStdin: false,
    stdinOnce: false,
    volumeMounts: [],
    terminationMessagePath: '/dev/termination-log',
    resources: { cpuShares: 2 },
    healthcheck: { test: ['NONE'] },
    capAdd: [],
    capDrop: [],
    readOnlyRootfs: false,
    options: {
      groupAdd: [],
      mergeGroups: true,
      privileged: false,
      security: {},
      oomScoreAdj: 1000,
      dns: {
        servers: ['host-gateway'],
        search: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'host.example'],
        options: ['ndots:5'],
      },
      extraHosts: [],
    },
  })
})

test("Kubernetes' command is the entrypoint and its args are the command; both are expanded", () => {
  const env = [
    { name: 'WHO', value: 'you' },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } },
  ]
  const envFrom = [{ configMapRef: { name: 'settings' } }]
  const cases: readonly [Partial<PodContainer>, object][] = [
    [{}, { command: [] }],
    [{ command: [], args: [] }, { command: [] }],
    [{ command: ['ep'] }, { entrypoint: ['ep'], command: [] }],
    [{ args: ['a'] }, { command: ['a'] }],
    [
      { command: ['ep', '$(WHO)'], args: ['$(MODE)', '$$(WHO)', '$(HOME)'] },
      { entrypoint: ['ep', 'you'], command: ['fast', '$(WHO)', '$(HOME)'] },
    ],
  ]
  for (const [container, expected] of cases) {
    const { entrypoint, command, env: given } = requestOf({ ...container, env, envFrom })
    assert.deepEqual({ ...(entrypoint && { entrypoint }), command }, expected, JSON.stringify(container))
    assert.deepEqual(given, ['MODE=fast', 'WHO=you', 'IP=10.0.0.5,fd00::5'])
  }
})

test("in the host's network its addresses are the host's", () => {
  const env = [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }]
  const { env: given, options } = requestOf({ env }, { hostNetwork: true }, { addresses: [] })
  assert.deepEqual(given, ['IP=192.0.2.1'])
  assert.deepEqual(options.dns, exampleNode().dns)
  assert.deepEqual(requestOf({ env }, { hostNetwork: true }, { addresses: [], hostIp: undefined }).env, ['IP='])
})

test('whose processes it sees', () => {
  assert.equal('processes' in requestOf({}), false)
  assert.equal(requestOf({}, { shareProcessNamespace: true }).processes, 'pod')
  assert.equal(requestOf({}, { hostPID: true }).processes, 'host')
})

test('volumes: those of ConfigMaps and Secrets can only be read', () => {
  const volumes = [
    { name: 'data', emptyDir: {} },
    { name: 'host', hostPath: { path: '/srv' } },
    { name: 'settings', configMap: { name: 'settings' } },
    { name: 'keys', secret: { secretName: 'keys' } },
  ]
  const volumeMounts = [
    { name: 'data', mountPath: '/data' },
    { name: 'data', mountPath: 'relative/', subPath: 'a/b', readOnly: true },
    { name: 'host', mountPath: '/host', mountPropagation: 'HostToContainer' as const },
    { name: 'host', mountPath: '/shared', mountPropagation: 'Bidirectional' as const },
    { name: 'settings', mountPath: '/etc/settings', readOnly: false },
    { name: 'keys', mountPath: '/etc/keys', subPath: '' },
  ]
  assert.deepEqual(requestOf({ volumeMounts }, { volumes }).volumeMounts, [
    { volume: 'data', destination: '/data', readOnly: false, propagation: 'rprivate' },
    { volume: 'data', destination: '/relative', readOnly: true, propagation: 'rprivate', subPath: 'a/b' },
    { volume: { hostPath: '/srv' }, destination: '/host', readOnly: false, propagation: 'rslave' },
    { volume: { hostPath: '/srv' }, destination: '/shared', readOnly: false, propagation: 'rshared' },
    { volume: 'settings', destination: '/etc/settings', readOnly: true, propagation: 'rprivate' },
    { volume: 'keys', destination: '/etc/keys', readOnly: true, propagation: 'rprivate' },
  ])
  assert.throws(() => requestOf({ volumeMounts: [{ name: 'none', mountPath: '/x' }] }), {
    details: { reason: 'CreateContainerConfigError' },
  })
})

test('the rest of it', () => {
  const request = requestOf(
    { workingDir: '/srv', tty: true, stdin: true, stdinOnce: true, securityContext: { runAsGroup: 5 } },
    { securityContext: { runAsUser: 1000, fsGroup: 7 }, subdomain: 'sub' },
    { image: exampleImage({ user: 'web' }) },
  )
  assert.deepEqual([request.workingDir, request.tty, request.openStdin, request.stdinOnce], ['/srv', true, true, true])
  assert.equal(request.user, '1000:5')
  assert.deepEqual(request.options.groupAdd, ['7'])
  assert.deepEqual(
    request.options.extraHosts?.map(({ address }) => address),
    ['10.0.0.5', 'fd00::5'],
  )
})
