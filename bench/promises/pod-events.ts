import type { DaemonFixture } from '../../test/support/daemon-fixture.ts'
import { isReady, replicaSetManifest } from '../../test/support/manifests.ts'
import { followObjects } from '../../test/support/object-stream.ts'
import { startHost } from '../support/host.ts'
import { apply, untilReachable } from '../support/kube.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary } from '../support/stats.ts'

const SERVES = ['sh', '-c', 'touch /ready; exec httpd -f -p 80']
const PROBE = { exec: { command: ['test', '-e', '/ready'] }, periodSeconds: 1, failureThreshold: 1 }

/** How soon others follow a pod that goes: the one that takes its place, and the Service that led to it. */
export const podEvents: Bench = {
  name: 'pod-events',
  async run(options) {
    await using host = await startHost(options)
    const container = {
      name: 'main',
      image: host.image,
      imagePullPolicy: 'IfNotPresent',
      command: SERVES,
      readinessProbe: PROBE,
    }
    using pods = await followObjects(host.home, 'pod')
    await apply(host, replicaSetManifest('web', 1, { terminationGracePeriodSeconds: 0, containers: [container] }))
    await apply(host, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type: 'ClusterIP', selector: { app: 'web' }, ports: [{ port: 80 }] },
    })
    const { clusterIP } = (await host.daemon.api.get('/v1/objects/service')).json.data[0].spec
    const [replaced, left]: [number[], number[]] = [[], []]
    for (let round = 0; round < Math.max(2, 20 * options.scale); round++) {
      const pod = await pods.until(({ status }) => isReady({ status }))
      await untilReachable(clusterIP, 80)
      await run(host, pod, 'rm /ready')
      await pods.until(({ metadata, status }) => metadata.uid === pod.metadata.uid && !isReady({ status }))
      left.push(await since(() => untilReachable(clusterIP, 80, false)))
      void host.daemon.api.delete(`/v1/objects/pod/${pod.metadata.name}`)
      await pods.until(({ metadata }) => metadata.uid === pod.metadata.uid && metadata.deletionTimestamp !== undefined)
      replaced.push(
        await since(() => pods.until(({ metadata }, type) => type === 'ADDED' && metadata.uid !== pod.metadata.uid)),
      )
    }
    const [gone, made] = [summary(left), summary(replaced)]
    const row = (promise: string, value: number, note: string) =>
      ({ promise, value, target: 100, unit: 'ms', note }) as const
    return [
      row('a pod is told to go, to the one in its place, p99', made.p99, show(made)),
      row('a pod is told to be unready, to no new connection, p99', gone.p99, show(gone)),
    ]
  },
}

async function since(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

interface WirePod {
  readonly status: { readonly containerStatuses: readonly { readonly containerID: string }[] }
}

async function run({ daemon }: DaemonFixture, { status }: WirePod, script: string): Promise<void> {
  const id = status.containerStatuses[0]!.containerID.split('//')[1]!
  const body = { command: ['sh', '-c', script], wait: true }
  const answer = await daemon.api.post(`/v1/containers/${id}/actions/exec`, body)
  if (answer.status !== 200) throw new Error(answer.text)
}
