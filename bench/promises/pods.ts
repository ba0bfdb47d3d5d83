import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DaemonFixture } from '../../test/support/daemon-fixture.ts'
import { replicaSetManifest } from '../../test/support/manifests.ts'
import { followObjects } from '../../test/support/object-stream.ts'
import { startHost } from '../support/host.ts'
import { apply } from '../support/kube.ts'
import { startPodman } from '../support/podman.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

const PODS = 20
/** Ends at once when it is asked to. */
const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done']

/** The pods of one replica set, from its manifest to all of them ready, and to none; against `podman kube play`. */
export const pods: Bench = {
  name: 'pods',
  async run(options) {
    await using host = await startHost(options)
    const { name: runtime } = (await host.daemon.api.get('/v1/version')).json.data.runtime
    const image = `${host.image}:latest`
    const spec = { containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: OBEYS }] }
    const rounds = Math.max(2, Math.round(5 * options.scale))
    const [up, down, theirs]: [number[], number[], number[]] = [[], [], []]
    // The first one makes the image of infra containers.
    await applySet(host, spec, 1)
    await scaleToNothing(host)
    await using podman = await startPodman(runtime)
    const file = join(host.home.root, '..', 'pods.yaml')
    await writeFile(file, podmanPods(spec))
    await podman?.pull(image)
    await podman?.cli('kube', 'play', file)
    await podman?.cli('kube', 'play', '--down', file)
    for (let round = 0; round < rounds; round++) {
      up.push(await timed(() => applySet(host, spec, PODS)))
      down.push(await timed(() => scaleToNothing(host)))
      if (podman === undefined) continue
      theirs.push(await timed(() => podman.cli('kube', 'play', file)))
      await podman.cli('kube', 'play', '--down', file)
    }
    const [ours, gone, them] = [summary(up), summary(down), summary(theirs)]
    return [
      {
        promise: `${PODS} pods with ${runtime}, from the manifest to all ready`,
        value: ours.p50,
        target: runtime === 'crun' ? 1000 : 1500,
        unit: 'ms',
        note: show(ours),
      },
      { promise: 'scaled to none', value: gone.p50, target: 1000, unit: 'ms', note: show(gone) },
      ...(podman === undefined
        ? []
        : [
            {
              promise: 'the same, faster than podman kube play',
              value: them.p50 / ours.p50,
              target: 2.2,
              unit: 'x' as const,
              atLeast: true,
              note: `${show(ours)}, podman ${show(them)}`,
            },
          ]),
    ]
  },
}

async function applySet(host: DaemonFixture, spec: object, replicas: number): Promise<void> {
  using sets = await followObjects(host.home, 'replicaset')
  await apply(host, replicaSetManifest('bench', replicas, spec))
  await sets.until(({ status }) => status.readyReplicas === replicas)
}

async function scaleToNothing(host: DaemonFixture): Promise<void> {
  using pods = await followObjects(host.home, 'pod')
  const left = new Set<string>()
  for (const { metadata } of (await host.daemon.api.get('/v1/objects/pod')).json.data) left.add(metadata.uid)
  await host.daemon.api.post('/v1/replicasets/bench/actions/scale', { replicas: 0 })
  await pods.until(({ metadata }, type) => {
    if (type === 'DELETED') left.delete(metadata.uid)
    return left.size === 0
  })
}

/** podman knows no replica sets. */
function podmanPods(spec: object): string {
  return Array.from({ length: PODS }, (_, index) => {
    const metadata = { name: `bench-${index}`, labels: { app: 'bench' } }
    return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
  }).join('\n---\n')
}
