import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleContainer, examplePod } from '../../../test/fixtures/pod-example.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { sandboxRequest } from './sandbox-request.ts'

const next = { attempt: 2, restartDelayMs: 10 }
const requestOf = (spec: Partial<Pod['spec']>) => sandboxRequest(examplePod(spec), next, { name: 'node' })
const ports = [
  { containerPort: 80, hostPort: 8080 },
  { containerPort: 53, hostPort: 53, protocol: 'UDP', hostIP: '127.0.0.1' },
  { containerPort: 443, hostPort: 443, hostIP: '0:0::1' },
  { containerPort: 5000, hostPort: 5000, protocol: 'SCTP' },
  { containerPort: 9000, hostPort: 0 },
  { containerPort: 9001 },
] as const

test('a pod that asks for nothing', () => {
  assert.deepEqual(requestOf({}), {
    pod: { uid: '11111111-2222-3333-4444-555555555555', name: 'web', namespace: 'default' },
    attempt: 2,
    restartDelayMs: 10,
    hostname: 'web',
    ports: [],
    sysctls: {},
    hostIpc: false,
  })
})

test('host ports are those of all containers that run together', () => {
  const { ports: published } = requestOf({
    containers: [exampleContainer({ ports: [...ports] })],
    initContainers: [
      exampleContainer({ name: 'init', ports: [{ containerPort: 1, hostPort: 1 }] }),
      exampleContainer({ name: 'sidecar', restartPolicy: 'Always', ports: [{ containerPort: 2, hostPort: 2 }] }),
    ],
  })
  assert.deepEqual(published, [
    { hostIp: '', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    { hostIp: '127.0.0.1', hostPort: 53, containerPort: 53, protocol: 'udp' },
    { hostIp: '::1', hostPort: 443, containerPort: 443, protocol: 'tcp' },
    { hostIp: '', hostPort: 2, containerPort: 2, protocol: 'tcp' },
  ])
})

test("the network: its own, one that it names, or the host's", () => {
  assert.deepEqual(requestOf({ network: 'blue' }).network, { network: 'blue' })
  const ofHost = requestOf({ hostNetwork: true, hostIPC: true, containers: [exampleContainer({ ports: [...ports] })] })
  assert.deepEqual([ofHost.network, ofHost.ports, ofHost.hostname], [{ network: 'host' }, [], 'node'])
  assert.equal(ofHost.hostIpc, true)
})

test("sysctls that are the sandbox's own", () => {
  const sysctls = (...names: string[]) =>
    requestOf({ securityContext: { sysctls: names.map((name) => ({ name, value: '1' })) } }).sysctls
  assert.deepEqual(sysctls('net.core.somaxconn', 'kernel/shm_rmid_forced'), {
    'net.core.somaxconn': '1',
    'kernel.shm_rmid_forced': '1',
  })
  assert.throws(() => sysctls('kernel.panic'), { code: 'invalid_argument' })
})
