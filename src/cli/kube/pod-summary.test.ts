import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CREATED, samplePod, sampleStatus } from '../../../test/support/kube-samples.ts'
import type { WirePodContainerStatus, WirePodObject } from '../../api/raind/index.ts'
import { podSummary } from './pod-summary.ts'

const NOW = Date.parse(CREATED) + 300_000

type Status = WirePodObject['status']

const waiting = (reason: string, more: Partial<WirePodContainerStatus> = {}) =>
  sampleStatus({ state: { waiting: { reason } }, ready: false, started: false, ...more })
const ended = (exitCode: number, reason?: string, more: Partial<WirePodContainerStatus> = {}) =>
  sampleStatus({
    state: { terminated: { exitCode, ...(reason && { reason }) } },
    ready: false,
    started: false,
    ...more,
  })
const running = sampleStatus()

function summary(status: Status, { spec, metadata }: { spec?: WirePodObject['spec']; metadata?: object } = {}) {
  const containers = (status.containerStatuses ?? [running]).map((_, index) => ({
    name: `c${index}`,
    image: 'busybox',
  }))
  const pod = samplePod({ status, spec: spec ?? { containers }, ...(metadata && { metadata }) })
  const { ready, status: word, restarts } = podSummary(pod, NOW)
  return [ready, word, restarts]
}

const of = (phase: Status['phase'], ...containerStatuses: WirePodContainerStatus[]): Status => ({
  phase,
  containerStatuses,
})

describe('podSummary() of a pod without init containers', () => {
  const cases: readonly [string, Status, readonly string[]][] = [
    ['nothing known yet', { phase: 'Pending' }, ['0/1', 'Pending', '0']],
    ['being made', of('Pending', waiting('ContainerCreating')), ['0/1', 'ContainerCreating', '0']],
    ['running', of('Running', running, running), ['2/2', 'Running', '0']],
    ['not ready', of('Running', sampleStatus({ ready: false })), ['0/1', 'Running', '0']],
    ['one waits', of('Running', running, waiting('ImagePullBackOff')), ['1/2', 'ImagePullBackOff', '0']],
    ['the first says why', of('Pending', waiting('ErrImagePull'), waiting('Other')), ['0/2', 'ErrImagePull', '0']],
    ['done', of('Succeeded', ended(0, 'Completed')), ['0/1', 'Completed', '0']],
    ['failed', of('Failed', ended(1, 'Error')), ['0/1', 'Error', '0']],
    ['killed for memory', of('Failed', ended(137, 'OOMKilled')), ['0/1', 'OOMKilled', '0']],
    ['failed without a reason', of('Failed', ended(3)), ['0/1', 'ExitCode:3', '0']],
    ['out of time', { phase: 'Failed', reason: 'DeadlineExceeded' }, ['0/1', 'DeadlineExceeded', '0']],
  ]
  for (const [name, status, expected] of cases) {
    test(name, () => assert.deepEqual(summary(status), expected))
  }

  test('ended by a signal', () => {
    const status = sampleStatus({ state: { terminated: { exitCode: 137, signal: 9 } }, ready: false })
    assert.deepEqual(summary(of('Failed', status)), ['0/1', 'Signal:9', '0'])
  })

  test('one is done and one runs', () => {
    const status = of('Running', ended(0, 'Completed'), running)
    assert.deepEqual(summary(status), ['1/2', 'NotReady', '0'])
    const ready = { ...status, conditions: [{ type: 'Ready', status: 'True' }] } as const
    assert.deepEqual(summary(ready), ['1/2', 'Running', '0'])
  })

  test('restarts are counted, with the time of the last', () => {
    const before = { lastState: { terminated: { exitCode: 1, finishedAt: '2025-01-31T12:03:00Z' } } }
    const crashing = waiting('CrashLoopBackOff', { restartCount: 3, ...before })
    const other = sampleStatus({
      restartCount: 2,
      lastState: { terminated: { exitCode: 1, finishedAt: '2025-01-31T11:00:00Z' } },
    })
    assert.deepEqual(summary(of('Running', crashing, other)), ['1/2', 'CrashLoopBackOff', '5 (2m ago)'])
    assert.deepEqual(summary(of('Running', sampleStatus({ restartCount: 1 }))), ['1/1', 'Running', '1'])
  })

  test('on its way out, unless it has ended', () => {
    const metadata = { deletionTimestamp: CREATED }
    assert.deepEqual(summary(of('Running', running), { metadata }), ['1/1', 'Terminating', '0'])
    assert.deepEqual(summary(of('Running', ended(0, 'Completed')), { metadata }), ['0/1', 'Terminating', '0'])
    assert.deepEqual(summary(of('Succeeded', ended(0, 'Completed')), { metadata }), ['0/1', 'Completed', '0'])
  })

  test('stopped by a user', () => {
    const stopped = (...statuses: WirePodContainerStatus[]) => ({ ...of('Pending', ...statuses), reason: 'Stopped' })
    assert.deepEqual(summary(stopped(running)), ['1/1', 'Stopping', '0'])
    assert.deepEqual(summary(stopped(ended(143, 'Error'))), ['0/1', 'Stopped', '0'])
    assert.deepEqual(summary(stopped(waiting('ContainerCreating'))), ['0/1', 'Stopped', '0'])
    assert.deepEqual(summary(stopped(), { metadata: { deletionTimestamp: CREATED } })[1], 'Terminating')
  })
})

describe('podSummary() of a pod with init containers', () => {
  const spec = {
    initContainers: [{ name: 'first' }, { name: 'side', restartPolicy: 'Always' as const }, { name: 'last' }],
    containers: [{ name: 'app' }],
  }
  const main = waiting('PodInitializing')
  const after = (...inits: WirePodContainerStatus[]): Status => ({
    phase: 'Pending',
    initContainerStatuses: inits.map((init, index) => ({ ...init, name: spec.initContainers[index]!.name })),
    containerStatuses: [main],
  })
  const done = ended(0, 'Completed')
  const init = waiting('PodInitializing')

  const cases: readonly [string, Status, readonly string[]][] = [
    ['the first runs', after({ ...running, ready: false }, init, init), ['0/2', 'Init:0/3', '0']],
    ['the first waits', after(waiting('ImagePullBackOff'), init, init), ['0/2', 'Init:ImagePullBackOff', '0']],
    ['the first has failed', after(ended(1, 'Error'), init, init), ['0/2', 'Init:Error', '0']],
    ['without a reason', after(ended(2), init, init), ['0/2', 'Init:ExitCode:2', '0']],
    ['the sidecar has not begun', after(done, { ...running, started: false }, init), ['0/2', 'Init:1/3', '0']],
    ['the sidecar runs', after(done, running, init), ['1/2', 'Init:2/3', '0']],
  ]
  for (const [name, status, expected] of cases) {
    test(name, () => assert.deepEqual(summary(status, { spec }), expected))
  }

  test('initialized: sidecars count as containers, other init containers’ restarts no longer', () => {
    const status = {
      ...after({ ...done, restartCount: 4 }, { ...running, restartCount: 1 }, done),
      phase: 'Running' as const,
      containerStatuses: [sampleStatus({ restartCount: 2 })],
    }
    assert.deepEqual(summary(status, { spec }), ['2/2', 'Running', '3'])
  })

  test('restarts of an init container count while it is at it', () => {
    assert.deepEqual(summary(after({ ...init, restartCount: 4 }, init, init), { spec }), ['0/2', 'Init:0/3', '4'])
  })

  test('initialized once stays so', () => {
    const status = {
      ...after(done, { ...running, started: false }, done),
      phase: 'Running' as const,
      conditions: [{ type: 'Initialized' as const, status: 'True' as const }],
      containerStatuses: [running],
    }
    assert.deepEqual(summary(status, { spec }), ['1/2', 'Running', '0'])
  })
})
