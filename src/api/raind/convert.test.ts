import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleMeta } from '../../../test/fixtures/pod-example.ts'
import { PLAIN_CONTAINER } from '../../../test/support/container-spec.ts'
import type { Container } from '../../model/container.ts'
import type { Digest } from '../../model/digest.ts'
import type { Sandbox } from '../../model/network.ts'
import { toContainerFilter, toCreateContainer, toCreateExec, wireContainer, wireExec, wireTime } from './convert.ts'

const MINUTE = 60_000
const T0 = Date.UTC(2026, 1, 3, 4, 5, 6, 789)
const uid = '0123456789ab'.padEnd(64, 'c')
const digest = `sha256:${'a'.repeat(64)}` as Digest

const container: Container = {
  metadata: exampleMeta({ uid, createdAt: T0 }),
  spec: {
    ...PLAIN_CONTAINER,
    image: 'docker.io/library/nginx:latest',
    imageRepository: 'library/nginx',
    imageId: digest,
    args: ['nginx', '-g'],
    workingDir: '/',
  },
  status: { restartCount: 0 },
}

const sandbox: Sandbox = {
  metadata: exampleMeta({ name: 's1', uid }),
  spec: {
    hostname: 'web',
    attachments: [
      {
        network: 'raind0',
        interface: 'eth0',
        addresses: ['10.166.0.1/20'],
        mac: '02:42:0a:a6:00:01',
        aliases: [],
        gatewayPriority: 0,
      },
    ],
    ports: [{ hostIp: '', hostPort: 0, containerPort: 80, protocol: 'tcp' }],
  },
  status: { attempt: 0 },
}

test('wireTime() writes RFC 3339, and the zero time for none', () => {
  assert.equal(wireTime(T0), '2026-02-03T04:05:06.789Z')
  assert.equal(wireTime(undefined), '0001-01-01T00:00:00Z')
  assert.equal(wireTime(0), '0001-01-01T00:00:00Z')
})

test('wireContainer(): golden, while it is created', () => {
  assert.deepEqual(wireContainer({ ...container, status: { restartCount: 0, preparedAt: T0 + 5 } }, sandbox), {
    containerId: '0123456789ab',
    name: 'web',
    state: 'created',
    pid: 0,
    imageRepository: 'library/nginx',
    imageReference: 'latest',
    command: ['nginx', '-g'],
    address: '10.166.0.1',
    forwards: [{ source: 0, destination: 80, protocol: 'tcp', hostIp: '0.0.0.0' }],
    creatingAt: '2026-02-03T04:05:06.789Z',
    createdAt: '2026-02-03T04:05:06.794Z',
    statedAt: '0001-01-01T00:00:00Z',
    stoppedAt: '0001-01-01T00:00:00Z',
  })
})

test('wireContainer(): golden, while it runs', () => {
  const status = {
    restartCount: 0,
    preparedAt: T0,
    startedAt: T0 + MINUTE,
    pid: 4711,
    finishedAt: T0 + 1,
    exitCode: 3,
  }
  const ports = [{ hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }] as const
  const wire = wireContainer({ ...container, status }, { ...sandbox, status: { attempt: 0, ports } })
  const { state, pid, forwards, statedAt, stoppedAt } = wire
  assert.deepEqual(
    { state, pid, forwards, statedAt, stoppedAt },
    {
      state: 'running',
      pid: 4711,
      forwards: [{ source: 8080, destination: 80, protocol: 'tcp', hostIp: '127.0.0.1' }],
      statedAt: '2026-02-03T04:06:06.789Z',
      stoppedAt: '0001-01-01T00:00:00Z',
    },
  )
  assert(!('exitCode' in wire))
})

test('wireContainer(): golden, once it has ended', () => {
  const status = {
    restartCount: 0,
    preparedAt: T0,
    startedAt: T0,
    finishedAt: T0 + MINUTE,
    exitCode: 137,
    reason: 'Error',
  }
  const wire = wireContainer({ ...container, status }, sandbox)
  assert.deepEqual(
    [wire.state, wire.pid, wire.stoppedAt, wire.exitCode, wire.reason, wire.message],
    ['stopped', 0, '2026-02-03T04:06:06.789Z', 137, 'Error', undefined],
  )
})

test('wireContainer() sends null for empty lists, and a slash in every repository', () => {
  const bare = { ...container, spec: { ...container.spec, args: [], imageRepository: 'build' } }
  const wire = wireContainer(bare, undefined)
  assert.deepEqual([wire.command, wire.forwards, wire.address, wire.imageRepository], [null, null, '', 'library/build'])
})

test('wireExec(): golden', () => {
  const record = { id: 'e1', containerId: uid, command: ['true'], tty: false, createdAt: T0 }
  assert.deepEqual(wireExec({ ...record, startedAt: T0, pid: 5 }), {
    execId: 'e1',
    containerId: '0123456789ab',
    command: ['true'],
    running: true,
    pid: 5,
    exitCode: null,
    createdAt: '2026-02-03T04:05:06.789Z',
    startedAt: '2026-02-03T04:05:06.789Z',
    finishedAt: '0001-01-01T00:00:00Z',
  })
  const ended = wireExec({ ...record, startedAt: T0, finishedAt: T0, exitCode: 0, pid: 5 })
  assert.deepEqual([ended.running, ended.pid, ended.exitCode], [false, 0, 0])
})

test('toCreateContainer(): golden', () => {
  const request = toCreateContainer({
    image: 'nginx',
    name: '',
    network: '',
    env: ['A=b'],
    workdir: '/srv',
    user: 'www',
    hostname: 'web',
    labels: { a: 'b' },
    tty: true,
    port: ['127.0.0.1:8080:80'],
    mount: ['/a:/b:ro'],
    tmpfs: ['/run:size=1m'],
    memory: '64m',
    memorySwap: -1,
    cpus: 1.5,
    cpuShares: 0,
    shmSize: '1m',
    ulimits: ['core=0'],
    securityOpt: [],
    pidMode: 'private',
    ipcMode: 'container:db',
    privileged: false,
    dns: ['192.0.2.1'],
    extraHosts: ['db:::1'],
    pids: 100,
    capAdd: ['net_admin'],
    capDrop: ['ALL'],
    readOnly: true,
    stopSignal: 'SIGINT',
    stopTimeout: 2.5,
    autoRemove: true,
    auth: { username: 'u', password: 'p' },
  })
  assert.deepEqual(request, {
    image: 'nginx',
    env: ['A=b'],
    workingDir: '/srv',
    user: 'www',
    hostname: 'web',
    labels: { a: 'b' },
    tty: true,
    openStdin: true,
    ports: [{ hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    mounts: [{ source: '/a', destination: '/b', readOnly: true, propagation: 'rprivate' }],
    tmpfs: [{ destination: '/run', options: ['size=1m'] }],
    resources: { memoryBytes: 64 * 2 ** 20, memorySwapBytes: -1, milliCpus: 1500, pids: 100 },
    options: {
      shmBytes: 2 ** 20,
      ulimits: [{ name: 'core', soft: 0, hard: 0 }],
      ipcMode: 'container:db',
      dns: { servers: ['192.0.2.1'], search: [], options: [] },
      extraHosts: [{ name: 'db', address: '::1' }],
    },
    capAdd: ['CAP_NET_ADMIN'],
    capDrop: ['ALL'],
    readOnlyRootfs: true,
    stopSignal: 'SIGINT',
    stopTimeoutMs: 2500,
    autoRemove: true,
    auth: { username: 'u', password: 'p' },
  })
})

test('toCreateContainer(): command replaces the entrypoint, args follow it', () => {
  const argv = (body: Parameters<typeof toCreateContainer>[0]) => {
    const { entrypoint, command } = toCreateContainer(body)
    return [entrypoint, command]
  }
  const image = 'x'
  assert.deepEqual(argv({ image }), [undefined, undefined])
  assert.deepEqual(argv({ image, command: [], args: [] }), [undefined, undefined])
  assert.deepEqual(argv({ image, command: ['c'] }), [[], ['c']])
  assert.deepEqual(argv({ image, args: ['a'] }), [undefined, ['a']])
  assert.deepEqual(argv({ image, command: ['c'], args: ['a'] }), [[], ['c', 'a']])
  assert.deepEqual(argv({ image, entrypoint: ['e'], command: ['c'], args: ['a'] }), [['e'], ['c', 'a']])
  assert.deepEqual(argv({ image, entrypoint: [], args: ['a'] }), [[], ['a']])
})

test('toCreateContainer() refuses what cannot be', () => {
  const refuses = (body: object, code: string, message: RegExp) =>
    assert.throws(() => toCreateContainer({ image: 'x', ...body }), { code, message })
  refuses({ cpus: -1 }, 'invalid_argument', /number of CPUs/)
  refuses({ port: ['x:y:z:1'] }, 'invalid_argument', /Invalid port/)
  refuses({ stopSignal: 'SIGNOPE' }, 'invalid_argument', /Invalid signal "SIGNOPE"/)
  refuses({ podId: 'p' }, 'unimplemented', /pod/)
  assert.deepEqual(toCreateContainer({ image: 'x', memory: 0, cpus: 0 }).resources, {})
})

test('toContainerFilter() lists all unless told otherwise', () => {
  assert.deepEqual(toContainerFilter({}), { infra: false })
  assert.deepEqual(toContainerFilter({ infra: true }), {})
  const alive = { infra: false, states: ['running', 'paused', 'restarting'] }
  assert.deepEqual(toContainerFilter({ all: false }), alive)
  assert.deepEqual(toContainerFilter({ all: false, label: ['a=b=c'], name: ['n'], state: ['created'] }), {
    infra: false,
    labels: [{ key: 'a', value: 'b=c', negated: false }],
    names: ['n'],
    states: ['created'],
  })
  const more = { all: false, id: ['ab'], image: ['alpine'], network: ['front'], exitCode: ['137'] }
  assert.deepEqual(toContainerFilter(more), {
    infra: false,
    ids: ['ab'],
    images: ['alpine'],
    networks: ['front'],
    exitCodes: [137],
  })
})

test('toCreateExec() leaves out what is absent', () => {
  assert.deepEqual(toCreateExec({ command: ['a'], workdir: '/' }), { command: ['a'], workingDir: '/' })
})
