import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { projectRoot } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { isReady } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

/** What the README shows: a replica set of two containers a pod, one of them with a terminal, behind a Service. */
describe('the example', () => {
  const the = kubeFixture()
  const manifest = () =>
    readFileSync(join(projectRoot, 'examples/demo.yaml'), 'utf8')
      .replaceAll('localhost/busybox', the().image)
      // The image of tests has no page to serve.
      .replaceAll('/www', '/tmp')
  const post = async (path: string, body: unknown, status: number) => {
    const answer = await the().fixture.daemon.api.post(path, body)
    assert.equal(answer.status, status, answer.text)
    return answer.json.data
  }
  const untilReady = (count: number) =>
    the().until('replicaset', 'test-rs', ({ status }) => status.readyReplicas === count && status.replicas === count)
  const page = async () => {
    const [response] = await once(get('http://127.0.0.1:11240/', { agent: false, timeout: 3000 }), 'response')
    let text = ''
    for await (const chunk of response) text += chunk
    return text.trim()
  }
  /** Until so many have answered: ready is who runs, be it that he listens or not, and the rules follow the pods. */
  const served = async (count: number) => {
    const seen = new Set<string>()
    const look = async () =>
      await page().then(
        (who) => seen.add(who),
        () => seen,
      )
    await eventually(look, ({ size }) => size >= count)
  }
  /** Who has answered how often. */
  const asked = async (times: number) => {
    const counts = new Map<string, number>()
    for (let count = 0; count < times; count++) {
      const who = await page()
      counts.set(who, (counts.get(who) ?? 0) + 1)
    }
    return counts
  }
  const pods = async (): Promise<KubeObject[]> => await the().list('pod')
  /** Until a pod has had so many restarts of its containers, and there are so many ready pods again. */
  const recovered = async (count: number, pod: string, restarts: number) => {
    const look = async () => ({ set: await the().get('replicaset', 'test-rs'), all: await pods() })
    await eventually(look, ({ set, all }) => {
      const one = all.find(({ metadata }) => metadata.name === pod)
      return set.status.readyReplicas === count && all.every(isReady) && restartsOf(one) >= restarts
    })
  }
  const restartsOf = ({ status }: KubeObject): number =>
    status.containerStatuses.reduce((sum: number, { restartCount }: KubeObject) => sum + restartCount, 0)

  test('is applied, served evenly, scaled to 5 and to 0, killed in every part, and deleted without a trace', async () => {
    const applied = await post('/v1/resource/apply', manifest(), 201)
    assert.deepEqual(
      [applied.pods.length, applied.services.length, applied.warnings],
      [1, 1, null],
      JSON.stringify(applied),
    )
    await untilReady(2)
    await served(2)
    const two = await asked(100)
    assert.deepEqual([...two.keys()].toSorted(), (await pods()).map(({ metadata }) => metadata.name).toSorted())
    for (const count of two.values()) assert.ok(count > 25, JSON.stringify([...two]))

    await post('/v1/replicasets/test-rs/actions/scale', { replicas: 5 }, 200)
    await untilReady(5)
    await served(5)
    assert.equal((await asked(200)).size, 5)

    const [victim] = await pods()
    for (const name of ['POD', ...victim.spec.containers.map((one: KubeObject) => one.name)]) {
      const { pid } = await the().container(victim.metadata.name, name)
      assert.ok(pid > 0, `${name} runs`)
      // With the infra container all others are made anew.
      const more = name === 'POD' ? victim.spec.containers.length : 1
      const restarts = restartsOf(await the().get('pod', victim.metadata.name)) + more
      process.kill(pid, 'SIGKILL')
      await recovered(5, victim.metadata.name, restarts)
      await served(5)
      assert.equal((await asked(200)).size, 5, `after ${name} was killed`)
    }

    await post('/v1/replicasets/test-rs/actions/scale', { replicas: 0 }, 200)
    await eventually(pods, ({ length }) => length === 0)
    const refusal = async () => await page().then(String, (error) => String(error))
    await eventually(refusal, (said) => /ECONNREFUSED|ECONNRESET|socket hang up/.test(said))
    await post('/v1/resource/delete?wait=true', manifest(), 200)
    assert.deepEqual(await the().list('service'), [])
  })
})
