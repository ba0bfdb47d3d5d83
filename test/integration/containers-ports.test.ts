import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { ApiClient } from '../support/api-client.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { addNeighbour } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { ask, isClosed, type Protocol, type Server, serve } from '../support/sockets.ts'

runInOwnNamespaces(import.meta.filename)

const COMMAND = ['sleep', '1000']

let fixture: DaemonFixture
const servers: Server[] = []
const api = (): ApiClient => fixture.daemon.api
const forwards = async (ref: string) => (await api().get(`/v1/containers/${ref}`)).json.data.forwards
const stop = (ref: string) => api().post(`/v1/containers/${ref}/actions/stop?timeout=0`)
const create = (port: string[], body: object = {}) =>
  api().post('/v1/containers', { image: fixture.image, command: COMMAND, port, ...body })
const names = async () =>
  ((await api().get('/v1/containers')).json.data ?? []).map(({ name }: { name: string }) => name)

before(async () => {
  fixture = await daemonFixture()
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]()
  await fixture.clear()
})
after(() => fixture[Symbol.asyncDispose]())

test('a published port answers, over TCP and over UDP, and is told on the wire', async () => {
  await runServer(['8080:80'], 'web')
  await runServer(['8053:53/udp', '8054:53:udp'], 'dns', 'udp')
  assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^web/)
  assert.match(await ask(undefined, 'udp', '127.0.0.1', 8053), /^dns/)
  assert.match(await ask(undefined, 'udp', '127.0.0.1', 8054), /^dns/)
  assert.deepEqual(await forwards('web'), [{ source: 8080, destination: 80, protocol: 'tcp', hostIp: '0.0.0.0' }])
  assert.deepEqual(
    (await forwards('dns')).map(({ source, protocol }: { source: number; protocol: string }) => [source, protocol]),
    [
      [8053, 'udp'],
      [8054, 'udp'],
    ],
  )
})

test('one protocol does not take the port of the other', async () => {
  await runServer(['8080:80'], 'web')
  await runServer(['8080:53/udp'], 'dns', 'udp')
  assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^web/)
  assert.match(await ask(undefined, 'udp', '127.0.0.1', 8080), /^dns/)
})

test('host port 0 is a free one, chosen at the start, another for each container, the same again', async () => {
  const { id: created } = (await create(['0:80'])).json.data
  assert.equal((await forwards(created))[0].source, 0)
  const id = await runServer(['0:80'], 'web')
  const [{ source }] = await forwards(id)
  assert.ok(source > 1023)
  assert.match(await ask(undefined, 'tcp', '127.0.0.1', source), /^web/)
  const other = await runContainer(fixture, { command: COMMAND, port: ['80'] })
  assert.notEqual((await forwards(other))[0].source, source)
  await stop(id)
  await api().post(`/v1/containers/${id}/actions/start`, {})
  assert.equal((await forwards(id))[0].source, source)
})

test('a port on 127.0.0.1 is closed to the LAN, and one on all addresses is open to it', async () => {
  using lan = addNeighbour(join(fixture.home.root, 'lan'), 'lan0', 50)
  const id = await runServer(['127.0.0.1:8080:80', '8081:80'], 'web')
  assert.deepEqual(
    (await forwards(id)).map(({ hostIp }: { hostIp: string }) => hostIp),
    ['127.0.0.1', '0.0.0.0'],
  )
  assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^web/)
  assert.match(await ask(lan.netns, 'tcp', lan.hostAddress, 8081), /^web/)
  assert.ok(await isClosed(lan.netns, 'tcp', lan.hostAddress, 8080))
})

test('a port that a running container has is refused before anything is made, and is free once that has stopped', async () => {
  await runServer(['127.0.0.1:8080:80'], 'first')
  const elsewhere = await create(['127.0.0.2:8080:80'], { name: 'elsewhere' })
  assert.equal(elsewhere.status, 200, elsewhere.text)
  for (const port of ['8080:80', '127.0.0.1:8080:81']) {
    const refused = await create([port], { name: 'second' })
    assert.equal(refused.status, 409)
    assert.equal(refused.json.status, 'fail')
    assert.match(refused.json.message, /8080\/tcp: container "first" has published it; stop that one/)
  }
  assert.deepEqual(await names(), ['first', 'elsewhere'])

  assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^first/)
  assert.equal((await stop('first')).status, 200)
  assert.ok(await isClosed(undefined, 'tcp', '127.0.0.1', 8080))
  await listensAndCloses(8080)
  await runContainer(fixture, { name: 'second', command: COMMAND, port: ['8080:80'] })
  const again = await api().post('/v1/containers/first/actions/start', {})
  assert.equal(again.status, 409)
  assert.match(again.json.message, /container "second" has published it/)
})

test('a port on which a program of the host listens is refused before anything is made', async () => {
  const server = createServer().listen(8080, '0.0.0.0')
  await once(server, 'listening')
  const socket = createSocket('udp4').bind(8053, '127.0.0.1')
  await once(socket, 'listening')
  try {
    for (const port of ['8080:80', '127.0.0.1:8080:80', '8053:53/udp']) {
      const refused = await create([port])
      assert.equal(refused.status, 409, port)
      assert.match(refused.json.message, /a program on this host already listens there/)
    }
    assert.deepEqual(await names(), [])
    // Created while the port was free: the start finds out.
    const { id } = (await create(['8081:80'])).json.data
    const late = createServer().listen(8081)
    await once(late, 'listening')
    assert.equal((await api().post(`/v1/containers/${id}/actions/start`, {})).status, 409)
    late.close()
    await once(late, 'close')
    assert.equal((await api().post(`/v1/containers/${id}/actions/start`, {})).status, 200)
  } finally {
    server.close()
    socket.close()
  }
})

test('the same port twice in one container is refused', async () => {
  const { status, json } = await create(['8080:80', '8080:81'])
  assert.equal(status, 400, json.message)
  assert.match(json.message, /8080\/tcp/)
  assert.deepEqual(await names(), [])
})

test('published ports survive the daemon', async () => {
  await runServer(['8080:80'], 'web')
  await fixture.restart()
  assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^web/)
  assert.equal((await create(['8080:80'])).status, 409)
})

test('no connection to a published port fails while daemons are killed and started, and others have died', async () => {
  await runServer(['8080:80'], 'web')
  const other = await runContainer(fixture, { command: COMMAND, port: ['8081:80'] })
  let restarting = true
  const answers: string[] = []
  const asking = (async () => {
    while (restarting) answers.push(await ask(undefined, 'tcp', '127.0.0.1', 8080).catch(String))
  })()
  for (let round = 0; round < 3; round++) {
    const { pid } = (await api().get(`/v1/containers/${other}`)).json.data
    await fixture.daemon.kill()
    assert.ok(pid > 0)
    process.kill(pid, 'SIGKILL')
    await fixture.restart()
    // Its conmon may take a while to tell of the end.
    assert.equal((await api().post(`/v1/containers/${other}/actions/wait`)).status, 200)
    assert.equal((await api().post(`/v1/containers/${other}/actions/start`)).status, 200)
  }
  restarting = false
  await asking
  assert.deepEqual([...new Set(answers.map((answer) => answer.split(' ')[0]))], ['web'])
})

/** A container, and a server in its network that says `text`: TCP on port 80, UDP on 53. */
async function runServer(port: string[], text: string, protocol: Protocol = 'tcp', name = text): Promise<string> {
  const id = await runContainer(fixture, { name, command: COMMAND, port })
  const { pid } = (await api().get(`/v1/containers/${id}`)).json.data
  servers.push(await serve(`/proc/${pid}/ns/net`, protocol, protocol === 'tcp' ? 80 : 53, text))
  return id
}

async function listensAndCloses(port: number): Promise<void> {
  const server = createServer().listen(port)
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}
