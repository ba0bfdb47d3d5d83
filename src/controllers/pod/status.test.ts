import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { examplePod } from '../../../test/fixtures/pod-example.ts'
import type { Container, ContainerStatus } from '../../model/container.ts'
import { EVICTION } from '../../model/kube/pod-run.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { podStatus } from './status.ts'

const NOW = Date.UTC(2025, 0, 31, 12)

const INFRA = record('', { role: 'infra', sandboxId: 's1' }, running())

function record(
  name: string,
  { role = 'main', attempt = 0, sandboxId = 's1', ...rest }: Partial<Container['spec']['pod'] & { sandboxId: string }>,
  status: Partial<ContainerStatus>,
): Container {
  return {
    metadata: { ...examplePod().metadata, uid: `${name}-${attempt}` },
    spec: { sandboxId, imageId: 'sha256:1', pod: { role, name, attempt, ...rest } } as unknown as Container['spec'],
    status: { preparedAt: 1, restartCount: 0, ...status },
  }
}

function running(): Partial<ContainerStatus> {
  return { pid: 1, startedAt: NOW - 5000 }
}

function ended(exitCode: number, more: Partial<ContainerStatus> = {}): Partial<ContainerStatus> {
  return { startedAt: NOW - 5000, finishedAt: NOW - 1000, exitCode, ...more }
}

function statusOf(spec: Partial<Pod['spec']>, containers: readonly Container[], status: Partial<Pod['status']> = {}) {
  const pod = examplePod(spec)
  const input = {
    waiting: new Map(),
    podIps: ['10.0.0.2'],
    hostIp: undefined,
    qosClass: 'BestEffort',
    now: NOW,
  } as const
  return podStatus({ ...input, pod: { ...pod, status: { ...pod.status, ...status } }, containers })
}

const stateOf = ({ containerStatuses }: ReturnType<typeof statusOf>) => containerStatuses![0]!.state!

describe('the status of a pod that a user has stopped', () => {
  const policies = ['Always', 'OnFailure', 'Never'] as const
  for (const restartPolicy of policies) {
    test(`is Pending while it is, and goes on with its containers (${restartPolicy})`, () => {
      const stopped = ended(0, { isToRunAgain: true })
      const old = record('app', {}, stopped)
      const off = statusOf({ restartPolicy, stopped: true }, [old], { startTime: '2025-01-31T11:00:00Z' })
      assert.deepEqual([off.phase, off.reason, off.startTime], ['Pending', 'Stopped', undefined])
      assert.equal(stateOf(off).terminated!.exitCode, 0)
      const on = statusOf({ restartPolicy }, [old])
      assert.deepEqual([on.phase, on.reason], ['Pending', undefined])
      assert.equal(on.startTime, '2025-01-31T12:00:00Z', 'its deadline begins anew')
      assert.equal(stateOf(on).waiting!.reason, 'ContainerCreating')
      const infra = record('', { role: 'infra', sandboxId: 's2' }, running())
      const again = statusOf({ restartPolicy }, [infra, old, record('app', { attempt: 1, sandboxId: 's2' }, running())])
      assert.deepEqual([again.phase, again.containerStatuses![0]!.restartCount], ['Running', 1])
    })
  }

  test('stays that of its end if it has ended by itself', () => {
    const done = record('app', {}, ended(0))
    const before = { phase: 'Succeeded', startTime: '2025-01-31T11:00:00Z' } as const
    for (const spec of [{}, { stopped: true as const }]) {
      const { phase, reason, startTime } = statusOf({ restartPolicy: 'Never', ...spec }, [done], before)
      assert.deepEqual([phase, reason, startTime], ['Succeeded', undefined, before.startTime])
    }
  })
})

describe('the status of a pod that is at its end', () => {
  const conditionOf = ({ conditions }: ReturnType<typeof statusOf>, type: string) =>
    conditions!.find((condition) => condition.type === type)!

  test('is not told before nothing of it runs any more; it keeps its addresses', () => {
    const late = { activeDeadlineSeconds: 60 }
    const before = { startTime: '2025-01-31T11:58:00Z', podIPs: [{ ip: '10.0.0.2' }, { ip: 'fd00::2' }] }
    const ending = statusOf(late, [INFRA, record('app', {}, running())], before)
    assert.deepEqual([ending.phase, ending.reason, ending.podIP], ['Running', undefined, '10.0.0.2'])
    const { status, reason } = conditionOf(ending, 'Ready')
    assert.deepEqual([status, reason], ['False', 'PodFailed'])
    const over = statusOf(late, [record('app', {}, ended(0))], before)
    assert.deepEqual([over.phase, over.reason, over.podIP], ['Failed', 'DeadlineExceeded', '10.0.0.2'])
    assert.deepEqual(over.podIPs, before.podIPs)
  })

  test('has waited for its sidecars', () => {
    const spec = { restartPolicy: 'Never', initContainers: [{ name: 'side', restartPolicy: 'Always' }] } as const
    const sidecar = (status: Partial<ContainerStatus>) => record('side', { role: 'init' }, status)
    const containers = [INFRA, record('app', {}, ended(0))]
    assert.equal(statusOf(spec, [...containers, sidecar(running())]).phase, 'Running')
    const over = statusOf(spec, [...containers, sidecar(ended(0))])
    assert.equal(over.phase, 'Succeeded')
    assert.equal(conditionOf(over, 'Ready').reason, 'PodCompleted')
  })

  test('tells of an eviction from its beginning, as a condition', () => {
    const conditions = [{ ...EVICTION, message: 'too much' }]
    const ending = statusOf({}, [INFRA, record('app', {}, running())], { conditions })
    assert.deepEqual([ending.phase, conditionOf(ending, EVICTION.type).message], ['Running', 'too much'])
    const over = statusOf({}, [record('app', {}, ended(0))], { conditions })
    assert.deepEqual([over.phase, over.reason, over.message], ['Failed', 'Evicted', 'too much'])
    assert.equal(over.conditions!.filter(({ type }) => type === EVICTION.type).length, 1)
  })
})

describe('the state of a container that is to be made anew', () => {
  test('is a back-off while that is waited for', () => {
    const { waiting } = stateOf(statusOf({}, [INFRA, record('app', { restartDelayMs: 10_000 }, ended(1))]))
    assert.equal(waiting!.reason, 'CrashLoopBackOff')
    assert.match(waiting!.message!, /^back-off 10s restarting failed container=app/)
  })

  const soon: [string, Container][] = [
    ['the first time', record('app', { restartDelayMs: 0 }, ended(1))],
    ['after the back-off', record('app', { restartDelayMs: 1000 }, ended(1))],
    ['with a new image', record('app', { restartDelayMs: 10_000, image: 'other' }, ended(1))],
    ['in a new sandbox', record('app', { restartDelayMs: 10_000, sandboxId: 's0' }, ended(1))],
  ]
  for (const [when, last] of soon) {
    test(`is that it is being made, ${when}`, () => {
      const { containerStatuses } = statusOf({}, [INFRA, last])
      const { state, lastState } = containerStatuses![0]!
      assert.equal(state!.waiting!.reason, 'ContainerCreating')
      assert.equal(lastState!.terminated!.exitCode, 1)
    })
  }

  test('names the image that runs, until the new one does', () => {
    const { containerStatuses } = statusOf({}, [INFRA, record('app', { image: 'old' }, running())])
    assert.equal(containerStatuses![0]!.image, 'old')
  })
})

test('a pod is initialized when its init containers are: without any it always is', () => {
  const isInitialized = ({ conditions }: ReturnType<typeof statusOf>) =>
    conditions!.find(({ type }) => type === 'Initialized')!.status
  assert.equal(isInitialized(statusOf({}, [])), 'True')
  assert.equal(isInitialized(statusOf({ stopped: true }, [])), 'True')
  const failed = record('app', {}, ended(1))
  assert.equal(isInitialized(statusOf({ restartPolicy: 'Never' }, [failed])), 'True')
  const initContainers = [{ name: 'first', image: 'i' }]
  const begun = statusOf({ initContainers }, [])
  assert.equal(isInitialized(begun), 'False')
  assert.equal(begun.containerStatuses![0]!.state!.waiting!.reason, 'PodInitializing')
  const done = record('first', { role: 'init' }, ended(0))
  assert.equal(isInitialized(statusOf({ initContainers, restartPolicy: 'Never' }, [done, failed])), 'True')
})

test('a container that the kernel has killed for its memory says so', () => {
  const last = record('app', {}, ended(137, { reason: 'OOMKilled', oomKilled: true }))
  const status = statusOf({ restartPolicy: 'Never' }, [INFRA, last])
  assert.equal(status.phase, 'Failed')
  assert.deepEqual(stateOf(status).terminated, {
    exitCode: 137,
    reason: 'OOMKilled',
    startedAt: '2025-01-31T11:59:55Z',
    finishedAt: '2025-01-31T11:59:59Z',
    containerID: 'condenser://app-0',
  })
})
