import { after, before, describe, test } from 'node:test'
import { assertAgreement } from '../support/agreement.ts'
import type { ApiClient } from '../support/api-client.ts'
import { type CrashOperation, killAtEveryPoint } from '../support/crash.ts'
import { type DaemonFixture, daemonFixture } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { type KubeObject, removeObjects } from '../support/kube-fixture.ts'
import { isReady } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { followObjects } from '../support/object-stream.ts'
import { startWitness, type Witness } from '../support/witness.ts'

runInOwnNamespaces(import.meta.filename)

const PORT = 18_180

/** What a client does that wants to see the end of it. */
type Step = (api: ApiClient) => Promise<unknown>

describe('with pods and Services, a daemon killed with SIGKILL at any point', () => {
  let fixture: DaemonFixture
  let witness: Witness
  const manifest = () =>
    [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'page' }, data: { 'index.html': 'page\n' } },
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name: 'web' },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: {
              terminationGracePeriodSeconds: 0,
              volumes: [{ name: 'page', configMap: { name: 'page' } }],
              containers: [
                {
                  name: 'main',
                  image: fixture.image,
                  command: ['httpd', '-f', '-p', '80', '-h', '/page'],
                  volumeMounts: [{ name: 'page', mountPath: '/page' }],
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: { selector: { app: 'web' }, ports: [{ port: PORT, targetPort: 80 }] },
      },
    ]
      .map((object) => JSON.stringify(object))
      .join('\n---\n')
  const untilReady = async () => {
    using pods = await followObjects(fixture.home, 'pod')
    await pods.until(isReady, 120_000)
  }
  const pods = async (): Promise<KubeObject[]> => (await fixture.daemon.api.get('/v1/objects/pod')).json.data
  const apply: Step = async (api) => {
    await api.post('/v1/resource/apply', manifest())
    await untilReady()
  }
  const remove: Step = (api) => api.post('/v1/resource/delete?wait=true&ignoreMissing=true', manifest())
  const podAction = (action: string): Step => {
    return async (api) => {
      const [pod] = await pods()
      await api.post(`/v1/pods/${pod.metadata.uid}/actions/${action}`)
      using stream = await followObjects(fixture.home, 'pod')
      await stream.until(({ status }) => status.podIP === undefined, 120_000)
    }
  }

  before(async () => {
    fixture = await daemonFixture()
    witness = await startWitness(fixture, { ports: [18_181, 18_182] })
    // The image of infra containers stays from here on.
    await apply(fixture.daemon.api)
    await remove(fixture.daemon.api)
  })
  after(async () => {
    await witness[Symbol.asyncDispose]()
    await removeObjects(fixture)
    await fixture.clear()
    await fixture[Symbol.asyncDispose]()
  })

  const operations: readonly (Pick<CrashOperation, 'name' | 'passes'> & { first: readonly Step[]; step: Step })[] = [
    { name: 'apply', first: [], step: apply, passes: ['apply.record', 'create.record', 'start.run'] },
    { name: 'delete', first: [apply], step: remove, passes: ['delete.record', 'remove.record'] },
    { name: 'stop', first: [apply], step: podAction('stop'), passes: ['pod.stop.record'] },
  ]
  for (const { name, first, step, passes = [] } of operations)
    test(`makes the objects true, whatever was under way: ${name}`, (t) =>
      killAtEveryPoint(t, fixture, {
        name,
        passes,
        firstOnly: true,
        prepare: async (api) => {
          for (const before of first) await before(api)
        },
        run: step,
        verify: async () => {
          await settle()
          await witness.assertUnharmed()
        },
        clear: async (api) => void (await remove(api)),
      }))

  /** The pods that there are become ready, or none where they are stopped; then all that there is agrees. */
  async function settle(): Promise<void> {
    const sets = async (): Promise<KubeObject[]> => (await fixture.daemon.api.get('/v1/objects/replicaset')).json.data
    await eventually(
      async () => ({ found: await pods(), wanted: (await sets()).length }),
      ({ found, wanted }) =>
        found.length === wanted &&
        found.every((pod) => isReady(pod) || (pod.status.reason === 'Stopped' && pod.status.podIP === undefined)),
    )
    const services: KubeObject[] = (await fixture.daemon.api.get('/v1/objects/service')).json.data
    if (services.length > 0 && (await pods()).some(isReady)) await untilServed()
    await eventually(
      () => assertAgreement(fixture.daemon.api).catch((error: Error) => error),
      (error) => error === undefined,
    )
  }

  async function untilServed(): Promise<void> {
    await eventually(() =>
      fetch(`http://127.0.0.1:${PORT}/`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined),
    )
  }
})
