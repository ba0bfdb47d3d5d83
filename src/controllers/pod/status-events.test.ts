import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examplePod } from '../../../test/fixtures/pod-example.ts'
import type { PodStatus } from '../../model/kube/pod-status.ts'
import { statusEvents } from './status-events.ts'

const waiting = (reason: string): Partial<PodStatus> => ({
  containerStatuses: [
    { name: 'app', image: 'web:1', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason } } },
  ],
})

function told(before: Partial<PodStatus>, after: Partial<PodStatus>) {
  const pod = examplePod()
  const { name, namespace, uid } = pod.metadata
  const events = statusEvents({ ...pod, status: { ...pod.status, ...before } }, { ...pod.status, ...after })
  const of = `${name}_${namespace}(${uid})`
  return events.map(({ type, reason, message }) => `${type} ${reason} ${message.replace(of, 'POD')}`)
}

test('a back-off is told when it begins, and each time anew', () => {
  const again = ['Warning BackOff Back-off restarting failed container app in pod POD']
  assert.deepEqual(told({}, waiting('CrashLoopBackOff')), again)
  assert.deepEqual(told(waiting('ContainerCreating'), waiting('CrashLoopBackOff')), again)
  assert.deepEqual(told(waiting('CrashLoopBackOff'), waiting('CrashLoopBackOff')), [])
  assert.deepEqual(told(waiting('ErrImagePull'), waiting('ImagePullBackOff')), [
    'Normal BackOff Back-off pulling image "web:1"',
  ])
  assert.deepEqual(told(waiting('ContainerCreating'), waiting('PodInitializing')), [])
})

test('that its time is up is told once', () => {
  const late = { phase: 'Failed', reason: 'DeadlineExceeded', message: 'too long' } as const
  assert.deepEqual(told({}, late), ['Normal DeadlineExceeded too long'])
  assert.deepEqual(told(late, late), [])
})
