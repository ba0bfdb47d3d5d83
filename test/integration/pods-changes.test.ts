import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { podManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { busyboxImage } from '../support/test-image.ts'

runInOwnNamespaces(import.meta.filename)

/** Ends well, whenever it is asked to. */
const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; touch /ready; while :; do sleep 0.1; done']

describe('pods that are changed while they run', () => {
  const the = kubeFixture({ images: { next: busyboxImage({ layers: [[{ path: 'next', content: 'x' }]] }) } })
  const pod = (spec: object, metadata: object = {}) =>
    podManifest({ terminationGracePeriodSeconds: 60, ...spec }, metadata)
  const container = (name: string, more: object = {}) => ({
    name,
    image: the().image,
    command: OBEYS,
    readinessProbe: { exec: { command: ['test', '-e', '/ready'] } },
    ...more,
  })
  const isReadyWith = (fits: (statuses: KubeObject[]) => boolean) => (object: KubeObject) =>
    object?.status.conditions?.some(
      ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True',
    ) && fits(object.status.containerStatuses)
  const act = async (action: string) => {
    const answer = await the().fixture.daemon.api.post(`/v1/pods/web/actions/${action}`)
    assert.equal(answer.status, 200, answer.text)
  }

  for (const restartPolicy of ['Always', 'Never']) {
    test(`a new image has its container made anew in place, also with restartPolicy ${restartPolicy}`, async () => {
      const next = `${the().fixture.registry.host}/next`
      const spec = (image: string) => ({ restartPolicy, containers: [container('a', { image }), container('b')] })
      await the().apply(pod(spec(the().image)))
      await the().untilReady('web')
      const [infra, b] = [await the().container('web', 'POD'), await the().container('web', 'b')]
      await the().apply(pod(spec(next)))
      const { status } = await the().until(
        'pod',
        'web',
        isReadyWith(([a]) => a.restartCount === 1),
        60_000,
      )
      const [a, other] = status.containerStatuses
      assert.deepEqual([a.image, a.lastState.terminated.exitCode, other.restartCount], [next, 0, 0])
      assert.equal((await the().container('web', 'POD')).pid, infra.pid)
      assert.equal((await the().container('web', 'b')).pid, b.pid)
      assert.equal(await the().sayIn('web', 'a', 'cat /next'), 'x')
      const messages = (await the().events('pod', 'web')).map(({ message }) => message)
      assert.ok(messages.includes('Stopping container a: its image has changed: it is made anew'), `${messages}`)
      // What has not changed stays as it is.
      await the().apply(pod(spec(next), { labels: { app: 'web' } }))
      assert.equal((await the().get('pod', 'web')).status.containerStatuses[0].restartCount, 1)
    })
  }

  test('a new image need not wait until the old one can be pulled', async () => {
    const spec = (image: string) => ({ containers: [container('a', { image })] })
    await the().apply(pod(spec(`${the().fixture.registry.host}/none`)))
    const isWaiting = (object: KubeObject) => object?.status.containerStatuses?.[0].state.waiting?.reason
    await the().until('pod', 'web', (object) => isWaiting(object) === 'ErrImagePull', 60_000)
    await the().apply(pod(spec(the().image)))
    await the().untilReady('web', 8000)
  })

  for (const restartPolicy of ['Never', 'OnFailure', 'Always']) {
    test(`what ran when its pod was stopped runs again, what had ended does not (${restartPolicy})`, async () => {
      const done =
        restartPolicy === 'Always' ? [] : [container('done', { command: ['true'], readinessProbe: undefined })]
      const init = container('init', { command: ['true'], readinessProbe: undefined })
      await the().apply(pod({ restartPolicy, initContainers: [init], containers: [container('a'), ...done] }))
      const runs = (restarts: number) => (object: KubeObject) => {
        const [a, completed] = object?.status.containerStatuses ?? []
        const isDone = completed === undefined || completed.state.terminated?.reason === 'Completed'
        return a?.ready && a.restartCount === restarts && isDone
      }
      await the().until('pod', 'web', runs(0), 60_000)
      for (const restarts of [1, 2]) {
        await act('stop')
        if (restarts === 2) await the().fixture.restart()
        const { status } = await the().until('pod', 'web', (object) => object?.status.podIP === undefined, 60_000)
        assert.deepEqual([status.phase, status.reason], ['Pending', 'Stopped'])
        await act('start')
        const phases = new Set<string>()
        const { status: after } = await the().until(
          'pod',
          'web',
          (object) => {
            phases.add(object.status.phase)
            return runs(restarts)(object)
          },
          60_000,
        )
        assert.equal(after.phase, 'Running')
        assert.ok(!phases.has('Failed') && !phases.has('Succeeded'), `${[...phases]}`)
        if (done.length > 0) assert.equal(after.containerStatuses[1].restartCount, 0)
      }
    })
  }

  test('a pod that has completed by itself stays so, stopped or started', async () => {
    await the().apply(pod({ restartPolicy: 'OnFailure', containers: [container('a', { command: ['true'] })] }))
    const isOver = (object: KubeObject) => object?.status.phase === 'Succeeded'
    await the().until('pod', 'web', isOver, 60_000)
    for (const action of ['stop', 'start']) {
      await act(action)
      const { status } = await the().until('pod', 'web', ({ status }) => status.reason === undefined, 60_000)
      assert.deepEqual([status.phase, status.containerStatuses[0].restartCount], ['Succeeded', 0])
    }
  })

  test('a pull that hangs ends with its pods, and keeps no other from running', async () => {
    await using hanging = await hangingRegistry()
    const stuck = { image: `${hanging.host}/stuck` }
    const named = (name: string, more: object) => pod({ containers: [container('a', more)] }, { name })
    await the().apply(named('one', stuck), named('two', stuck), named('three', stuck), named('web', {}))
    await the().untilReady('web', 60_000)
    const reasons = async (name: string) => (await the().events('pod', name)).map(({ reason }) => reason)
    for (const name of ['one', 'two', 'three']) {
      await eventually(
        () => reasons(name),
        (all) => all.includes('Pulling'),
      )
    }
    const isConnected = () => hanging.connections.size > 0
    await eventually(isConnected)
    await the().delete('pod', 'one')
    await the().fixture.daemon.api.post('/v1/pods/two/actions/stop')
    await the().until('pod', 'two', ({ status }) => status.reason === 'Stopped' && status.podIP === undefined, 60_000)
    assert.ok(isConnected(), 'the last pod still waits for it')
    await the().apply(named('three', {}))
    await the().untilReady('three', 8000)
    await eventually(() => !isConnected())
  })
})

/** Accepts connections and never says anything. */
async function hangingRegistry() {
  const connections = new Set<Socket>()
  const server = createServer((socket) => {
    connections.add(socket)
    socket.resume().on('error', () => {})
    socket.on('close', () => connections.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      server.close()
    },
  }
}
