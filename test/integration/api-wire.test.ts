import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { promisify } from 'node:util'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { layoutTar } from '../support/oci-image.ts'
import { busyboxImage } from '../support/test-image.ts'

runInOwnNamespaces(import.meta.filename)

const run = promisify(execFile)
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const NO_TIME = '0001-01-01T00:00:00Z'

let fixture: DaemonFixture
const api = () => fixture.daemon.api

before(async () => {
  fixture = await daemonFixture()
})
afterEach(() => fixture.clear())
after(() => fixture[Symbol.asyncDispose]())

test('the socket is for root and its group', async () => {
  const { mode, uid } = await stat(join(fixture.home.run, 'condenser.sock'))
  assert.deepEqual([mode & 0o7777, uid], [0o660, 0])
})

test('a container, as the wire has it, from create to delete, with the defaults of curl', async () => {
  const curl = async (...args: string[]) => {
    const socket = join(fixture.home.run, 'condenser.sock')
    const { stdout } = await run('curl', ['-sS', '--unix-socket', socket, ...args])
    return JSON.parse(stdout)
  }
  const at = 'http://localhost/v1/containers'
  assert.equal((await curl(at)).data, null)

  const body = { image: fixture.image, name: 'web', command: ['sleep', '1000'], port: ['127.0.0.1:0:80'] }
  const created = await curl('-d', JSON.stringify(body), at)
  assert.deepEqual(created, { status: 'success', message: 'container created', data: { id: created.data.id } })

  const before = (await curl(`${at}/web`)).data
  assert.match(before.createdAt, TIME)
  assert.deepEqual([before.state, before.pid, before.statedAt, before.stoppedAt], ['created', 0, NO_TIME, NO_TIME])

  assert.deepEqual((await curl('-d', '{}', `${at}/web/actions/start`)).data, { id: created.data.id })
  const { data: list } = await curl(at)
  assert.equal(list.length, 1)
  const { creatingAt, createdAt, statedAt, pid, address, forwards, ...rest } = list[0]
  for (const time of [creatingAt, createdAt, statedAt]) assert.match(time, TIME)
  const [firstBytes] = fixture.home.subnet.split('.0.0/')
  assert(pid > 0 && address.startsWith(`${firstBytes}.`), address)
  assert(forwards[0].source > 0)
  assert.deepEqual({ ...forwards[0], source: 0 }, { source: 0, destination: 80, protocol: 'tcp', hostIp: '127.0.0.1' })
  assert.deepEqual(rest, {
    containerId: created.data.id,
    name: 'web',
    state: 'running',
    imageRepository: `${fixture.registry.host}/busybox`,
    imageReference: 'latest',
    command: ['sleep', '1000'],
    stoppedAt: NO_TIME,
  })
  const networks = (await curl('http://localhost/v1/networks')).data
  const { bridge } = fixture.home
  assert.deepEqual(networks, [
    {
      Interface: bridge,
      Address: `${firstBytes}.0.254/20`,
      NumContainers: 1,
      Name: bridge,
      Subnet: `${firstBytes}.0.0/20`,
      Labels: {},
    },
  ])

  assert.deepEqual((await curl('-X', 'POST', `${at}/web/actions/stop?timeout=0`)).data, { id: created.data.id })
  const ended = (await curl(`${at}/web`)).data
  assert.deepEqual([ended.state, ended.pid, ended.exitCode], ['stopped', 0, 137])
  assert.match(ended.stoppedAt, TIME)
  assert.equal((await curl('-X', 'DELETE', `${at}/web/actions/delete`)).message, 'container deleted')
})

test('lists can be filtered', async () => {
  const id = await runContainer(fixture, { name: 'a', labels: { tier: 'x' }, command: ['sleep', '1000'] })
  await api().post('/v1/containers', { image: fixture.image, name: 'b', labels: { tier: 'y' } })
  const names = async (query: string) =>
    ((await api().get(`/v1/containers?${query}`)).json.data ?? []).map((one: { name: string }) => one.name)
  assert.deepEqual(await names(''), ['a', 'b'])
  assert.deepEqual(await names('all=false'), ['a'])
  assert.deepEqual(await names('state=created'), ['b'])
  assert.deepEqual(await names('state=created&state=running'), ['a', 'b'])
  assert.deepEqual(await names('label=tier%3Dx'), ['a'])
  assert.deepEqual(await names('name=b'), ['b'])
  assert.deepEqual(await names('name=c'), [])
  await api().delete(`/v1/containers/${id}/actions/delete?force`)
  await api().delete('/v1/containers/b/actions/delete')
})

test('the log is text, and empty unless lines are asked for', async () => {
  const id = await runContainer(fixture, { command: ['sh', '-c', 'echo one; echo two >&2'] })
  await api().post(`/v1/containers/${id}/actions/wait`)
  const log = await api().get(`/v1/containers/${id}/log?tail_lines=10`)
  assert.equal(log.headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(log.text, 'one\ntwo\n')
  assert.equal((await api().get(`/v1/containers/${id}/log?tail_lines=1`)).text, 'two\n')
  for (const query of ['', '?tail_lines=0', '?tail_lines=-1']) {
    const answer = await api().get(`/v1/containers/${id}/log${query}`)
    assert.deepEqual([answer.status, answer.text], [200, ''])
  }
  const path = (await api().get(`/v1/containers/${id}/logpath`)).json.data
  assert((await stat(path)).isFile())
  await api().delete(`/v1/containers/${id}/actions/delete`)
})

test('an exec is a record, a stream of frames, or one answer', async () => {
  const id = await runContainer(fixture, { command: ['sleep', '1000'] })
  const script = 'echo out; echo err >&2; exit 7'
  const created = await api().post(`/v1/containers/${id}/exec`, { command: ['sh', '-c', script] })
  assert.equal(created.status, 201)
  const { execId } = created.json.data
  const record = async () => (await api().get(`/v1/execs/${execId}`)).json.data
  assert.deepEqual([(await record()).running, (await record()).exitCode], [false, null])

  const streamed = await api().post(`/v1/execs/${execId}/start`)
  assert.equal(streamed.headers['content-type'], 'application/vnd.raind.stream')
  assert.deepEqual(framesOf(Buffer.from(streamed.text)), { 1: 'out\n', 2: 'err\n', 3: '{"exitCode":7}' })
  assert.equal((await record()).exitCode, 7)
  assert.equal((await api().post(`/v1/execs/${execId}/start`)).status, 409, 'an exec runs once')

  const waited = await api().post(`/v1/containers/${id}/actions/exec`, { command: ['sh', '-c', script], wait: true })
  const { stdout, stderr, exitCode, truncated } = waited.json.data
  assert.deepEqual(
    { stdout, stderr, exitCode, truncated },
    { stdout: 'out\n', stderr: 'err\n', exitCode: 7, truncated: false },
  )
  const big = await api().post(`/v1/containers/${id}/actions/exec`, {
    command: ['dd', 'if=/dev/zero', 'bs=65536', 'count=64'],
    wait: true,
  })
  assert.deepEqual([big.json.data.stdout.length, big.json.data.truncated], [1024 * 1024, true])

  const begun = await api().post(`/v1/containers/${id}/actions/exec`, { command: ['touch', '/done'] })
  assert.deepEqual([begun.status, begun.json.data.id], [200, id])
  await api().delete(`/v1/containers/${id}/actions/delete?force=true`)
})

test('pulls and loads tell their progress, line by line', async () => {
  const ndjson = { accept: 'application/x-ndjson' }
  const linesOf = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  const pulled = await api().post('/v1/images', { image: fixture.image }, ndjson)
  assert.equal(pulled.headers['content-type'], 'application/x-ndjson')
  assert.deepEqual(linesOf(pulled.text).at(-1), { type: 'done', image: `${fixture.image}:latest` })
  const failed = await api().post('/v1/images', { image: `${fixture.registry.host}/none` }, ndjson)
  assert.equal(failed.status, 404)

  const archive = layoutTar({ 'loaded:1': busyboxImage({ config: { User: 'app' } }) })
  const loaded = await api().post('/v1/images/load', archive, ndjson)
  assert.deepEqual(linesOf(loaded.text).at(-1), { type: 'done', image: 'docker.io/library/loaded:1' })
  const again = await api().post('/v1/images/load', archive)
  assert.equal(again.json.data[0].repository, 'library/loaded')

  const status = (await api().get('/v1/images/status?image=loaded:1')).json.data
  assert.deepEqual([status.repository, status.reference, status.user], ['library/loaded', '1', 'app'])
  assert.deepEqual(status.repoTags, ['library/loaded:1'])
  assert.match(status.id, /^sha256:[0-9a-f]{64}$/)
  assert.match(status.createdAt, TIME)
  const usage = (await api().get('/v1/images/fs?image=loaded:1')).json.data
  assert.equal(usage.image, 'library/loaded:1')
  assert(usage.usedBytes > 0)
  const list = (await api().get('/v1/images')).json.data
  const repositories = new Set(list.map((one: { repository: string }) => one.repository))
  assert.deepEqual(repositories, new Set(['library/loaded', `${fixture.registry.host}/busybox`]))
  const removed = await api().delete('/v1/images', { image: 'loaded:1' })
  assert.deepEqual(removed.json, { status: 'success', message: 'remove completed', data: { image: 'loaded:1' } })
})

test('version and health', async () => {
  const { version, apiVersion, node, runtime } = (await api().get('/v1/version')).json.data
  assert.deepEqual(
    [typeof version, apiVersion, node, typeof runtime.version],
    ['string', 'v1', process.version, 'string'],
  )
  const health = await api().get('/v1/health')
  assert.deepEqual([health.status, health.json.data.status], [200, 'ok'])
})

test('a client that hangs up does not stop a create half way', async () => {
  const socket = join(fixture.home.run, 'condenser.sock')
  const body = JSON.stringify({ image: fixture.image, name: 'left' })
  const command = ['-s', '--max-time', '0.001', '--unix-socket', socket, '-d', body, 'http://x/v1/containers']
  await run('curl', command).catch(() => {})
  const { status } = await api().post('/v1/containers', { image: fixture.image, name: 'left' })
  assert(status === 200 || status === 409)
  // Deleting waits for the create that still runs, and finds it whole.
  assert.equal((await api().delete('/v1/containers/left/actions/delete')).status, 200)
})

function framesOf(bytes: Buffer): Record<number, string> {
  const text: Record<number, string> = {}
  for (let at = 0; at < bytes.length; ) {
    const [type, length] = [bytes.readUInt8(at), bytes.readUInt32BE(at + 1)]
    text[type] = (text[type] ?? '') + bytes.subarray(at + 5, at + 5 + length)
    at += 5 + length
  }
  return text
}
