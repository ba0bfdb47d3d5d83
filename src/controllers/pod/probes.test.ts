import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { exampleContainer } from '../../../test/fixtures/pod-example.ts'
import { SAMPLE_OBJECTS } from '../../../test/fixtures/store-objects.ts'
import { temporaryStore, testCtx } from '../../../test/fixtures/temporary-store.ts'
import { eventually, inTime } from '../../../test/support/eventually.ts'
import type { Container, ContainerStatus, ProbeState } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import { runControllers } from '../runner.ts'
import type { ProbeEngine } from './probe-action.ts'
import { PodProbes } from './probes.ts'
import { podProbesController } from './probes-controller.ts'

const ID = 'a'.repeat(64)
const noExec: ProbeEngine = { probe: () => Promise.reject(new Error('nothing is to be run')) }

/** A pod with one container that "runs", its probes run by the controller, and a web server in its place. */
async function scene(t: TestContext, probes: Partial<PodContainer>, engine = noExec) {
  const store = temporaryStore(t)
  const ctx = testCtx(t)
  const answers = { status: 200, asked: 0 }
  const server = createServer((_request, response) => {
    answers.asked++
    response.writeHead(answers.status).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const ports = [{ name: 'web', containerPort: (server.address() as AddressInfo).port }]
  const podUid = store.write((tx) => {
    const spec = { containers: [exampleContainer({ ports, ...probes })] }
    const pod = tx.create('Pod', { name: 'web', spec, status: { phase: 'Pending' } })
    tx.create('Sandbox', {
      name: 'sandbox',
      uid: 'sandbox',
      spec: { hostname: '', networkMode: 'host', attachments: [], ports: [] },
      status: { attempt: 0 },
    })
    tx.create('Container', {
      ...SAMPLE_OBJECTS.Container,
      name: 'web_default_app_0',
      uid: ID,
      owner: { frontEnd: 'kubernetes', kind: 'Pod', uid: pod.metadata.uid },
      spec: { ...SAMPLE_OBJECTS.Container.spec, sandboxId: 'sandbox', pod: { role: 'main', name: 'app', attempt: 0 } },
      status: { restartCount: 0, preparedAt: 1 },
    })
    return pod.metadata.uid
  })
  const put = (status: Partial<ContainerStatus>) => store.write((tx) => tx.putStatus('Container', ID, status))
  const podProbes = new PodProbes(ctx, store, engine)
  const running = runControllers(ctx, store, [podProbesController(podProbes)])
  t.after(async () => {
    ctx.end()
    await running
    await podProbes[Symbol.asyncDispose]()
  })
  return {
    store,
    answers,
    podUid,
    put,
    start: (pid = 7) => put({ pid, startedAt: Date.now(), probes: undefined }),
    /** Resolves when so many more probes have been answered. */
    async askedMore(count: number) {
      const { asked } = answers
      await eventually(
        () => answers.asked,
        (now) => now >= asked + count,
      )
    },
    /** The first state of its probes, from the last one that was awaited on, for which that holds. */
    until: stateWatcher(store, ctx),
    /** What was told so far, and what comes until there are so many. */
    async events(count: number) {
      const messages: string[] = []
      const take = async () => {
        for await (const { kind, action, attributes } of store.events(ctx, { follow: true })) {
          if (kind !== 'Pod' || action !== 'Unhealthy') continue
          assert.deepEqual([attributes['type'], attributes['container']], ['Warning', 'app'])
          messages.push(attributes['message']!)
          if (messages.length === count) break
        }
        return messages
      }
      return await inTime(take(), () => messages)
    },
  }
}

function stateWatcher(store: ReturnType<typeof temporaryStore>, ctx: ReturnType<typeof testCtx>) {
  let after = store.read((tx) => tx.revision())
  let last: object | undefined
  const next = async (holds: (state: ProbeState | undefined, container: Container) => boolean) => {
    for await (const { kind, object, revision } of store.watch(ctx, { kinds: ['Container'], after })) {
      after = revision
      last = object
      if (kind === 'Container' && holds(object.status.probes, object)) return object.status.probes
    }
    throw new Error('the test was ended')
  }
  return (holds: Parameters<typeof next>[0]) => inTime(next(holds), () => last)
}

const httpGet = { port: 'web' }
const every = (seconds: number) => ({ httpGet, periodSeconds: seconds })

describe('PodProbes', { concurrency: true }, () => {
  test('readiness: not ready until the first success, then as it says; single results are not written', async (t) => {
    const the = await scene(t, { readinessProbe: { ...every(1), failureThreshold: 2 } })
    the.answers.status = 503
    the.start()
    assert.deepEqual(await the.events(1), ['Readiness probe failed: HTTP probe failed with statuscode: 503'])
    the.answers.status = 200
    assert.deepEqual(await the.until((state) => state !== undefined), { started: true, ready: true })
    const revision = the.store.read((tx) => tx.revision())
    await the.askedMore(2)
    assert.equal(
      the.store.read((tx) => tx.revision()),
      revision,
    )
    the.answers.status = 500
    const asked = the.answers.asked
    assert.deepEqual(await the.until((state) => state?.ready === false), { started: true, ready: false })
    assert.ok(the.answers.asked - asked >= 2)
    assert.equal((await the.events(2))[1], 'Readiness probe failed: HTTP probe failed with statuscode: 500')
    the.answers.status = 200
    await the.until((state) => state?.ready === true)
  })

  test('startup comes first; a failed liveness probe is told once, with why, and readiness goes on', async (t) => {
    const liveness: string[] = []
    const engine: ProbeEngine = {
      async probe(_ctx, id, [command]) {
        assert.equal(id, ID)
        liveness.push(command!)
        return { exitCode: 1, output: 'not well' }
      },
    }
    const the = await scene(
      t,
      {
        startupProbe: every(1),
        readinessProbe: every(1),
        livenessProbe: { exec: { command: ['ask'] }, periodSeconds: 1, failureThreshold: 1 },
      },
      engine,
    )
    the.answers.status = 500
    the.start()
    assert.deepEqual(await the.events(1), ['Startup probe failed: HTTP probe failed with statuscode: 500'])
    assert.deepEqual(liveness, [])
    the.answers.status = 200
    assert.deepEqual(await the.until((state) => state !== undefined), { started: true, ready: false })
    const failed = { failed: 'liveness', message: 'not well' }
    const both = await the.until((state) => state?.failed !== undefined && state.ready)
    assert.deepEqual(both, { started: true, ready: true, ...failed })
    the.answers.status = 500
    assert.deepEqual(await the.until((state) => state?.ready === false), { started: true, ready: false, ...failed })
    assert.deepEqual(liveness, ['ask'], 'it was not asked again')
  })

  test('a failed startup probe wants the container ended; its next run is probed anew', async (t) => {
    const the = await scene(t, { startupProbe: { ...every(1), failureThreshold: 1 }, livenessProbe: every(1) })
    the.answers.status = 404
    the.start()
    const message = 'HTTP probe failed with statuscode: 404'
    const state = await the.until((state) => state !== undefined)
    assert.deepEqual(state, { started: false, ready: false, failed: 'startup', message })
    the.put({ pid: undefined, finishedAt: Date.now() })
    the.answers.status = 200
    the.start(8)
    assert.deepEqual(await the.until((state) => state?.started === true), { started: true, ready: true })
  })

  test('what is being stopped is not ready, and is not probed any more', async (t) => {
    const the = await scene(t, { readinessProbe: every(1) })
    the.start()
    await the.until((state) => state?.ready === true)
    the.put({ stopRequestedAt: Date.now() })
    assert.deepEqual(await the.until((state) => state?.ready === false), { started: true, ready: false })
    const asked = the.answers.asked
    await new Promise((resolve) => setTimeout(resolve, 1100))
    assert.equal(the.answers.asked, asked)
  })

  test('liveness does not hurry a pod that ends', async (t) => {
    const the = await scene(t, { livenessProbe: { ...every(1), failureThreshold: 1 } })
    the.store.write((tx) => {
      const pod = tx.getByUid('Pod', the.podUid)!
      tx.put('Pod', { ...pod, metadata: { ...pod.metadata, deletedAt: Date.now() } })
    })
    the.answers.status = 500
    the.start()
    await the.askedMore(1)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    assert.equal(the.answers.asked, 1, 'the failure ends it')
    assert.equal(the.store.read((tx) => tx.getByUid('Container', ID))!.status.probes, undefined)
  })

  test('what an earlier daemon has started stays ready until its probe says otherwise', async (t) => {
    const the = await scene(t, { startupProbe: every(1), readinessProbe: { ...every(1), failureThreshold: 1 } })
    const probes = { started: true, ready: true }
    the.put({ pid: 7, startedAt: Date.now() - 60_000, probes })
    await the.askedMore(2)
    assert.deepEqual(await the.until((_, { status }) => status.pid === 7), probes)
    the.answers.status = 500
    assert.deepEqual(await the.until((state) => state?.ready === false), { started: true, ready: false })
  })
})
