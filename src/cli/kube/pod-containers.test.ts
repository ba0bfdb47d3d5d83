import assert from 'node:assert/strict'
import { test } from 'node:test'
import { samplePod, sampleStatus } from '../../../test/support/kube-samples.ts'
import { chooseContainer, containerIdOf, containersOf } from './pod-containers.ts'

const pod = samplePod({
  spec: { initContainers: [{ name: 'init' }], containers: [{ name: 'app' }, { name: 'log' }] },
  status: {
    phase: 'Running',
    initContainerStatuses: [
      sampleStatus({ name: 'init', state: { terminated: { exitCode: 0 } }, containerID: 'condenser://11' }),
    ],
    containerStatuses: [
      sampleStatus({
        containerID: 'condenser://22',
        lastState: { terminated: { exitCode: 1, containerID: 'condenser://21' } },
      }),
    ],
  },
})

test('chooseContainer() takes the one that is named, or the first with a note', () => {
  assert.deepEqual(chooseContainer(pod, 'log'), { container: 'log' })
  assert.deepEqual(chooseContainer(pod, 'init'), { container: 'init' })
  assert.deepEqual(chooseContainer(pod, undefined), {
    container: 'app',
    note: 'Defaulted container "app" out of: app, log, init (init)',
  })
  assert.deepEqual(chooseContainer(samplePod(), undefined), { container: 'app' })
  assert.throws(() => chooseContainer(pod, 'nope'), /Pod "web" has no container "nope"/)
})

test('chooseContainer() heeds the annotation, unless it names none', () => {
  const annotated = (name: string) => ({
    ...pod,
    metadata: { ...pod.metadata, annotations: { 'kubectl.kubernetes.io/default-container': name } },
  })
  assert.deepEqual(chooseContainer(annotated('log'), undefined), { container: 'log' })
  assert.equal(chooseContainer(annotated('gone'), undefined).container, 'app')
})

test('containerIdOf() is what runs, ran last, or ran before', () => {
  assert.deepEqual(containersOf(pod), ['init', 'app', 'log'])
  assert.equal(containerIdOf(pod, 'app'), '22')
  assert.equal(containerIdOf(pod, 'init'), '11')
  assert.equal(containerIdOf(pod, 'app', { previous: true }), '21')
  assert.throws(() => containerIdOf(pod, 'init', { previous: true }), /no previous container "init" of pod "web"/)
})

test('containerIdOf() says what is waited for', () => {
  const waiting = sampleStatus({ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } })
  const { containerID: _, ...unstarted } = waiting
  const status = { phase: 'Pending', containerStatuses: [unstarted] } as const
  assert.throws(
    () => containerIdOf(samplePod({ status }), 'app'),
    /There is no container "app" of pod "web" yet: ImagePullBackOff \(no such image\)/,
  )
  assert.throws(() => containerIdOf(samplePod({ status: { phase: 'Pending' } }), 'app'), /yet: Pending$/)
  const lastState = { terminated: { exitCode: 1, containerID: 'condenser://9' } }
  const restarting = samplePod({ status: { phase: 'Running', containerStatuses: [{ ...unstarted, lastState }] } })
  assert.equal(containerIdOf(restarting, 'app'), '9', 'what ran last')
})
