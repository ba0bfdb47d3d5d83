import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { kubeFixture } from '../support/kube-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const TEXT = { 'content-type': 'text/plain' }
/** Ends at once when it is asked to. */
const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done']

describe("Raind's verbs on pods, replica sets and services", () => {
  const the = kubeFixture()
  const api = () => the().fixture.daemon.api
  const get = async (path: string) => {
    const { status, json, text } = await api().get(path)
    assert.equal(status, 200, text)
    return json.data
  }
  const gone = (path: string) =>
    eventually(
      () => api().get(path),
      ({ status }) => status === 404,
    )
  const apply = (manifest: string) => api().send('POST', '/v1/resource/apply', manifest, TEXT)

  test('lists with nothing in them: null for pods, empty for the others', async () => {
    assert.deepEqual(await Promise.all(['pods', 'replicasets', 'services'].map((kind) => get(`/v1/${kind}`))), [
      null,
      [],
      [],
    ])
  })

  test('a pod: created, and started when it is told to; its id stays', async () => {
    const container = { name: 'main', image: the().image, command: OBEYS, mount: ['/etc:/host:ro'], env: ['A=b=c'] }
    const body = { name: 'web', namespace: 'default', labels: { app: 'web' }, containers: [container] }
    const { status, json } = await api().post('/v1/pods', body)
    assert.deepEqual([status, json.message], [200, 'pod created'])
    const { podId } = json.data
    const path = `/v1/pods/${podId}`
    const { createdAt: _, ...made } = await get(path)
    assert.deepEqual(made, {
      ...{ podId, name: 'web', namespace: 'default', uid: podId, state: 'created' },
      ...{ desiredContainers: 1, runningContainers: 0, networkNS: '', ipcNS: '', utsNS: '', userNS: '' },
      ...{ labels: { app: 'web' }, startedAt: '0001-01-01T00:00:00Z', stoppedAt: '0001-01-01T00:00:00Z' },
      ...{ phase: 'Pending', ready: false, address: '' },
    })
    assert.deepEqual((await api().post(`${path}/actions/start`)).json.data, { podId })
    await the().untilReady('web')
    const [listed] = await get('/v1/pods')
    assert.deepEqual([listed.podId, listed.state, listed.runningContainers, listed.ready], [podId, 'running', 1, true])
    assert.match(listed.networkNS, /^\/proc\/[1-9]\d*\/ns\/net$/)
    assert.equal(await the().sayIn('web', 'main', 'echo $A; touch /host/x || ls /host/passwd'), READ_ONLY)
    assert.deepEqual((await api().post(`${path}/actions/stop`)).json.data, { podId })
    await the().until('pod', 'web', ({ status }) => status.reason === 'Stopped')
    await eventually(
      () => get(path),
      ({ state }) => state === 'stopped',
    )
    const removed = await api().delete('/v1/pods/web')
    assert.deepEqual([removed.status, removed.json.message, removed.json.data], [200, 'pod removed', { podId }])
    await gone(path)
  })

  test('a pod without a name, and one that is not there', async () => {
    const { status, json } = await api().post('/v1/pods', { namespace: 'default' })
    assert.equal(status, 400, json.message)
    assert.equal((await api().get('/v1/pods/none')).status, 404)
    assert.equal((await api().post('/v1/pods/none/actions/start')).status, 404)
    assert.equal((await api().delete('/v1/pods/none')).status, 404)
  })

  test('a replica set: its numbers and its template', async () => {
    const container = { name: 'main', image: the().image, command: OBEYS, mount: ['/etc:/host:ro'] }
    const manifest = {
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'set' } },
      spec: { replicas: 2, template: { metadata: { labels: { app: 'set' } }, spec: { containers: [container] } } },
    }
    assert.equal((await apply(JSON.stringify(manifest))).status, 201)
    await the().until('replicaset', 'set', ({ status }) => status.readyReplicas === 2)
    const [listed] = await get('/v1/replicasets')
    const { replicaSetId } = listed
    const { name, namespace, replicas, desired, current, ready, selector } = listed
    assert.deepEqual([name, namespace, replicas, desired, current, ready], ['set', 'default', 2, 2, 2, 2])
    assert.deepEqual(selector, { app: 'set' })
    const { template } = await get(`/v1/replicasets/${replicaSetId}`)
    assert.deepEqual(template.containers, [container])
    const scaled = await api().post(`/v1/replicasets/${replicaSetId}/actions/scale`, { replicas: 1 })
    assert.deepEqual(scaled.json.data, { replicaSetId, replicas: 1 })
    assert.equal((await api().post(`/v1/replicasets/${replicaSetId}/actions/scale`, { replicas: -1 })).status, 400)
    const removed = await api().delete(`/v1/replicasets/${replicaSetId}`)
    assert.deepEqual([removed.status, removed.json.message], [200, 'replicaset removed'])
    assert.deepEqual(removed.json.data, { replicaSetId })
    await gone(`/v1/replicasets/${replicaSetId}`)
    await eventually(
      () => get('/v1/pods'),
      (pods) => pods === null,
    )
  })

  test('a service: from a manifest as text, by id and by name', async () => {
    const ports = [{ port: 11260, targetPort: 80 }]
    const spec = { selector: { app: 'web' }, ports }
    const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'svc' }, spec })
    const post = () => api().send('POST', '/v1/services', manifest, TEXT)
    const { status, json } = await post()
    assert.deepEqual([status, json.message], [201, 'service created'])
    const { serviceId } = json.data
    const [listed] = await get('/v1/services')
    assert.deepEqual([listed.serviceId, listed.name, listed.namespace], [serviceId, 'svc', 'default'])
    assert.deepEqual(listed.ports, [{ port: 11260, targetPort: 80, protocol: 'tcp' }])
    assert.equal('selector' in listed, false)
    for (const ref of [serviceId, 'svc']) assert.deepEqual((await get(`/v1/services/${ref}`)).selector, { app: 'web' })
    assert.equal((await post()).status, 409, 'its name is taken')
    const removed = await api().delete(`/v1/services/${serviceId}`)
    assert.deepEqual([removed.status, removed.json.data], [200, { serviceId }])
    assert.equal((await api().get(`/v1/services/${serviceId}`)).status, 404)
  })
})

const READ_ONLY = 'b=c\ntouch: /host/x: Read-only file system\n/host/passwd\n'
