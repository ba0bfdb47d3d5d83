import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { podManifest, replicaSetManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const SLEEP = ['sleep', '1000']
const NEVER_READY = { readinessProbe: { exec: { command: ['false'] } } }

describe('fields of Services and ReplicaSets', () => {
  const the = kubeFixture()
  const spec = (more: object = {}) => ({
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: the().image, command: SLEEP, ...more }],
  })
  const pod = (name: string, labels: object, more: object = {}) => podManifest(spec(more), { name, labels })
  const service = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
  })

  test('a headless Service has the addresses of ready pods, or of all if that is asked for', async () => {
    await the().apply(
      pod('client', {}),
      pod('ready', { app: 'web' }),
      pod('unready', { app: 'web' }, NEVER_READY),
      service('some', { clusterIP: 'None' }),
      service('all', { clusterIP: 'None', publishNotReadyAddresses: true }),
    )
    await the().untilReady('client')
    const ready = (await the().untilReady('ready')).status.podIP
    const runs = ({ status }: KubeObject) => status.containerStatuses?.[0].state.running
    const unready = (await the().until('pod', 'unready', runs)).status.podIP
    const lookUp = async (name: string) => {
      const said = await the().sayIn('client', 'main', `nslookup ${name}.default.svc.cluster.local`)
      return [...said.matchAll(/^Address:\s+(10\.[\d.]+)$/gm)].map(([, address]) => address!).toSorted()
    }
    // The name server is told of pods that have become ready.
    const untilFound = async (name: string, wanted: readonly string[]) =>
      assert.deepEqual(
        await eventually(
          () => lookUp(name),
          ({ length }) => length >= wanted.length,
        ),
        wanted,
      )
    await untilFound('all', [ready, unready].toSorted())
    await untilFound('some', [ready])
  })

  test('LoadBalancer is taken as NodePort, with a warning', async () => {
    const { warnings } = await the().apply(service('web', { type: 'LoadBalancer' }))
    assert.equal(warnings.length, 1, JSON.stringify(warnings))
    assert.match(warnings[0], /spec\.type.*there is no load balancer: LoadBalancer is treated as NodePort/)
    const { spec, status } = await the().get('service', 'web')
    assert.equal(spec.type, 'LoadBalancer')
    assert.ok(spec.ports[0].nodePort >= 30_000, JSON.stringify(spec))
    assert.equal(status.loadBalancer?.ingress, undefined)
    assert.equal((await the().apply(service('port', { type: 'NodePort' }))).warnings, null)
  })

  test('pods of a ReplicaSet are available when they have been ready for long enough', async () => {
    const set = (minReadySeconds: number) => {
      const manifest = replicaSetManifest('web', 2, spec())
      return { ...manifest, spec: { ...manifest.spec, minReadySeconds } }
    }
    const until = (fits: (status: KubeObject) => boolean) =>
      the().until('replicaset', 'web', ({ status, metadata }) => {
        return status.observedGeneration === metadata.generation && fits(status)
      })
    await the().apply(set(3600))
    const { status } = await until(({ readyReplicas }) => readyReplicas === 2)
    assert.equal(status.availableReplicas ?? 0, 0)
    await the().apply(set(5))
    await until(({ availableReplicas }) => availableReplicas === 2)
    const availableAt = Date.now()
    for (const { status } of await the().list('pod')) {
      const { lastTransitionTime } = status.conditions.find(({ type }: KubeObject) => type === 'Ready')
      const readyMs = availableAt - Date.parse(lastTransitionTime)
      assert.ok(readyMs >= 5000, `available after ${readyMs} ms`)
    }
  })
})
