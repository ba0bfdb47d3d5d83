import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { replicaSetManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait; done']

describe('replica sets', () => {
  const the = kubeFixture()
  const set = (replicas: number, more: object = {}) => {
    const containers = [{ name: 'main', image: the().image, command: OBEYS }]
    const manifest = replicaSetManifest('web', replicas, { terminationGracePeriodSeconds: 1, containers })
    return { ...manifest, spec: { ...manifest.spec, ...more } }
  }
  const wire = async () => (await the().fixture.daemon.api.get('/v1/replicasets/web')).json.data
  const untilReady = (count: number) =>
    the().until('replicaset', 'web', ({ status }) => status.readyReplicas === count && status.replicas === count)
  const pods = async (): Promise<KubeObject[]> => await the().list('pod')
  const names = async () => (await pods()).map(({ metadata }) => metadata.name).toSorted()
  const scale = async (replicas: number) => {
    const answer = await the().fixture.daemon.api.post('/v1/replicasets/web/actions/scale', { replicas })
    assert.equal(answer.status, 200, answer.text)
  }

  test('has as many pods as it asks for, up, down and to nothing', async () => {
    await the().apply(set(2))
    await untilReady(2)
    const { desired, current, ready, name, namespace, selector } = await wire()
    assert.deepEqual(
      { desired, current, ready, name, namespace, selector },
      {
        desired: 2,
        current: 2,
        ready: 2,
        name: 'web',
        namespace: 'default',
        selector: { app: 'web' },
      },
    )
    for (const pod of await pods()) {
      assert.match(pod.metadata.name, /^web-[a-z0-9]{5}$/)
      assert.equal(pod.metadata.ownerReferences[0].name, 'web')
    }
    const first = await names()
    await scale(4)
    await untilReady(4)
    assert.ok(first.every((name) => first.includes(name)))
    await scale(1)
    await untilReady(1)
    await scale(0)
    await the().until('replicaset', 'web', ({ status }) => status.replicas === 0)
    await eventually(pods, ({ length }) => length === 0)
  })

  test('replaces a pod that is lost, whoever it was', async () => {
    await the().apply(set(2))
    await untilReady(2)
    const [doomed] = await names()
    await the().delete('pod', doomed!)
    await eventually(names, ({ length }) => length >= 2)
    await untilReady(2)
    const now = await names()
    assert.equal(now.length, 2)
    assert.ok(!now.includes(doomed!))
  })

  test('adopts orphans that fit, and lets go of pods whose labels fit no more', async () => {
    const { template } = set(1).spec
    const orphan = { apiVersion: 'v1', kind: 'Pod', ...template, metadata: { name: 'orphan', labels: { app: 'web' } } }
    await the().apply(orphan)
    await the().untilReady('orphan')
    await the().apply(set(1))
    await untilReady(1)
    assert.deepEqual(await names(), ['orphan'])
    await the().apply({ ...orphan, metadata: { name: 'orphan', labels: { app: 'debug' } } })
    await the().until('pod', 'orphan', ({ metadata }) => (metadata.ownerReferences ?? []).length === 0)
    await eventually(names, ({ length }) => length >= 2)
    await untilReady(1)
    assert.equal((await names()).length, 2)
    await the().delete('replicaset', 'web')
    assert.deepEqual(await names(), ['orphan'], 'what is not its own stays')
  })

  test('deletes its pods with it, unless they are to stay', async () => {
    await the().apply(set(2))
    await untilReady(2)
    await the().delete('replicaset', 'web', 'cascade=orphan&wait=true')
    const kept = await pods()
    assert.equal(kept.length, 2)
    await the().apply(set(2))
    await untilReady(2)
    assert.deepEqual(await names(), kept.map(({ metadata }) => metadata.name).toSorted())
    await the().delete('replicaset', 'web')
    assert.deepEqual(await pods(), [])
  })

  test('is applied again without a change, scaled in place, and its selector stays', async () => {
    const action = async (object: object) => (await the().apply(object)).results[0].action
    assert.equal(await action(set(2)), 'created')
    assert.equal(await action(set(2)), 'unchanged')
    assert.equal(await action(set(3)), 'configured')
    await untilReady(3)
    const other = set(3, { selector: { matchLabels: { app: 'other' } } })
    const text = JSON.stringify(other).replaceAll('"app":"web"', '"app":"other"')
    const answer = await the().fixture.daemon.api.post('/v1/resource/apply', text)
    assert.equal(answer.status, 409, answer.text)
    assert.match(answer.json.message, /spec\.selector/)
    assert.equal((await pods()).length, 3)
  })

  test('goes on when the daemon is killed in the middle of scaling', async () => {
    await the().apply(set(1))
    await untilReady(1)
    const { pid } = await the().container((await names())[0]!, 'main')
    await scale(4)
    await the().fixture.daemon.kill()
    await the().fixture.restart()
    await untilReady(4)
    const all = (await the().fixture.daemon.api.get('/v1/containers')).json.data
    assert.ok(
      all.some((container: KubeObject) => container.pid === pid),
      'the first one runs on',
    )
  })
})
