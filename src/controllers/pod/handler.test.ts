import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { examplePod } from '../../../test/fixtures/pod-example.ts'
import { testCtx } from '../../../test/fixtures/temporary-store.ts'
import type { Container } from '../../model/container.ts'
import type { LifecycleHandler } from '../../model/kube/probe.ts'
import type { Sandbox } from '../../model/network.ts'
import { runHandler } from './handler.ts'
import type { ProbeEngine } from './probe-action.ts'

const noExec: ProbeEngine['probe'] = () => Promise.reject(new Error('nothing is to be run'))

function run(ctx: ReturnType<typeof testCtx>, handler: LifecycleHandler, probe = noExec, port = 1) {
  const ports = [{ name: 'web', containerPort: port }]
  const pod = examplePod({ containers: [{ name: 'app', ports }] })
  const container = { metadata: { uid: 'id' }, spec: { pod: { role: 'main', name: 'app', attempt: 0 } } } as Container
  const sandbox = { spec: { attachments: [{ addresses: ['127.0.0.1/8'] }] } } as unknown as Sandbox
  return runHandler(ctx, { pods: { probe }, sandboxOf: () => sandbox }, { pod, container, handler })
}

async function webServer(t: TestContext, status: number) {
  const asked = Promise.withResolvers<string>()
  const server = createServer(({ headers }, response) => {
    asked.resolve(headers['user-agent']!)
    if (status > 0) response.writeHead(status).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { asked: asked.promise, port: (server.address() as AddressInfo).port }
}

test('exec: exit code 0 is a success; it has all the time that the caller gives', async (t) => {
  const exec = { command: ['touch', '/started'] }
  const asked: unknown[] = []
  const good = await run(testCtx(t), { exec }, async (_ctx, ...args) => {
    asked.push(args)
    return { exitCode: 0, output: 'done' }
  })
  assert.deepEqual(good, { ok: true, message: '' })
  assert.deepEqual(asked, [['id', exec.command]])
  const bad = await run(testCtx(t), { exec }, async () => ({ exitCode: 2, output: 'read-only\n' }))
  assert.deepEqual(bad, { ok: false, message: 'The command ended with exit code 2: read-only' })
})

test('httpGet: any answer is a success, none is a failure', async (t) => {
  const { asked, port } = await webServer(t, 500)
  const httpGet = { port: 'web', path: '/start' }
  assert.deepEqual(await run(testCtx(t), { httpGet }, noExec, port), { ok: true, message: '' })
  assert.equal(await asked, 'kube-lifecycle/1.34')
  const { ok, message } = await run(testCtx(t), { httpGet: { port: 'other' } })
  assert.deepEqual([ok, message], [false, 'The container has no port "other"'])
})

test('httpGet and sleep end with the context', async (t) => {
  const { asked, port } = await webServer(t, 0)
  const ctx = testCtx(t)
  const get = run(ctx, { httpGet: { port } })
  const sleep = run(ctx, { sleep: { seconds: 2 ** 40 } })
  await asked
  ctx.end()
  for (const handler of [get, sleep]) assert.deepEqual(await handler, { ok: false, message: 'The time for it ran out' })
})

test('sleep: the end of the time is a success', async (t) => {
  assert.deepEqual(await run(testCtx(t), { sleep: { seconds: 0 } }), { ok: true, message: '' })
})

test('tcpSocket fails when it is to be run, as on a cluster', async (t) => {
  const { ok, message } = await run(testCtx(t), { tcpSocket: { port: 80 } })
  assert.equal(ok, false)
  assert.match(message, /tcpSocket is none/)
})
