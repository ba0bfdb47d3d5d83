import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { testCtx } from '../../../test/fixtures/temporary-store.ts'
import type { Probe } from '../../model/kube/probe.ts'
import { type ProbeEngine, runProbe } from './probe-action.ts'

const noExec: ProbeEngine = { probe: () => Promise.reject(new Error('nothing is to be run')) }

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

async function closedPort(t: TestContext): Promise<number> {
  const server = createServer()
  const port = await listen(t, server)
  server.close()
  await once(server, 'close')
  return port
}

/** Of a container that has that port by the name `web`. */
function run(t: TestContext, probe: Probe, webPort = 1, engine = noExec, address: string | undefined = '127.0.0.1') {
  const ports = [{ containerPort: 2 }, { containerPort: webPort, name: 'web' }]
  return runProbe(testCtx(t), engine, { containerId: 'id', address, ports }, probe)
}

describe('exec', () => {
  const exec = { command: ['cat', '/healthy'] }
  const results = [
    [{ exitCode: 0, output: 'all well' }, 'success', ''],
    [{ exitCode: 1, output: 'no such file\n' }, 'failure', 'no such file'],
    [{ exitCode: 3, output: '' }, 'failure', 'The command ended with exit code 3'],
    [{ exitCode: -1, output: 'The command took longer than 1 s' }, 'failure', 'The command took longer than 1 s'],
    [{ exitCode: 127, output: 'cat: not found', notRun: true }, 'error', 'cat: not found'],
    [{ exitCode: 1, output: 'x'.repeat(4096) }, 'failure', 'x'.repeat(1024)],
  ] as const
  for (const [result, outcome, message] of results)
    test(`${JSON.stringify(result).slice(0, 60)} is ${outcome}`, async (t) => {
      const asked: unknown[] = []
      const engine: ProbeEngine = {
        async probe(_ctx, id, command, timeoutMs) {
          asked.push([id, command, timeoutMs])
          return result
        },
      }
      assert.deepEqual(await run(t, { exec, timeoutSeconds: 7 }, 1, engine), { outcome, message })
      assert.deepEqual(asked, [['id', exec.command, 7000]])
    })
})

describe('httpGet', () => {
  test('200 to 399 is a success; of a failure the status is told, and not what the body says', async (t) => {
    const port = await listen(
      t,
      createHttpServer(({ url }, response) => response.writeHead(Number(url!.slice(1))).end('secret')),
    )
    const ask = (status: number) => run(t, { httpGet: { port, path: `/${status}` } })
    for (const status of [200, 202, 301, 399]) assert.equal((await ask(status)).outcome, 'success', `${status}`)
    for (const status of [400, 404, 500]) {
      const message = `HTTP probe failed with statuscode: ${status}`
      assert.deepEqual(await ask(status), { outcome: 'failure', message })
    }
  })

  test('goes to the pod, to a port by number or name; or to another host', async (t) => {
    const seen: unknown[] = []
    const server = createHttpServer(({ url, headers }, response) => {
      seen.push([url, headers.host, headers['user-agent']])
      response.end()
    })
    const port = await listen(t, server)
    for (const action of [{ port }, { port: 'web', path: '/a' }, { port: `${port}`, host: 'localhost' }]) {
      assert.equal((await run(t, { httpGet: action }, port)).outcome, 'success')
    }
    assert.deepEqual(seen, [
      ['/', `127.0.0.1:${port}`, 'kube-probe/1.34'],
      ['/a', `127.0.0.1:${port}`, 'kube-probe/1.34'],
      ['/', `localhost:${port}`, 'kube-probe/1.34'],
    ])
  })

  test('a server that does not answer in time is a failure', async (t) => {
    const port = await listen(t, createServer())
    const { outcome, message } = await run(t, { httpGet: { port }, timeoutSeconds: 1 })
    assert.equal(outcome, 'failure')
    assert.match(message, /there was no answer in time/)
  })
})

describe('tcpSocket', () => {
  test('a connection is a success, and is left at once', async (t) => {
    const server = createServer()
    const port = await listen(t, server)
    const connected = once(server, 'connection')
    assert.deepEqual(await run(t, { tcpSocket: { port: 'web' } }, port), { outcome: 'success', message: '' })
    const [socket] = await connected
    await once(socket.resume(), 'close')
  })

  test('no connection is a failure', async (t) => {
    const { outcome, message } = await run(t, { tcpSocket: { port: await closedPort(t) } })
    assert.equal(outcome, 'failure')
    assert.match(message, /ECONNREFUSED/)
  })
})

describe('what cannot be asked is an error, which counts neither way', () => {
  test('a port that the container does not have', async (t) => {
    for (const port of ['other', 0, 65_536, '', '1e9']) {
      for (const probe of [{ httpGet: { port } }, { tcpSocket: { port } }]) {
        const message = `The container has no port ${JSON.stringify(port)}`
        assert.deepEqual(await run(t, probe), { outcome: 'error', message })
      }
    }
  })

  test('a pod without an address, unless another host is asked', async (t) => {
    const target = { containerId: 'id', address: undefined, ports: [] }
    const result = await runProbe(testCtx(t), noExec, target, { httpGet: { port: 80 } })
    assert.deepEqual(result, { outcome: 'error', message: 'The pod has no address' })
    const port = await listen(t, createServer())
    const other = await runProbe(testCtx(t), noExec, target, { tcpSocket: { port, host: '127.0.0.1' } })
    assert.equal(other.outcome, 'success')
  })
})

test('an action that is not known here is a success', async (t) => {
  assert.equal((await run(t, { grpc: { port: 1 } })).outcome, 'success')
})
