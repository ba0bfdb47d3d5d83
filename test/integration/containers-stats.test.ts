import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, test } from 'node:test'
import type { WireStats } from '../../src/api/raind/index.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const RAIND = join(import.meta.dirname, '../../bin/raind')
const MIB = 1024 * 1024
const SLEEP = ['sleep', '1000']
const BUSY = ['sh', '-c', 'while :; do :; done']

let fixture: DaemonFixture
const api = () => fixture.daemon.api
const socketPath = () => join(fixture.home.run, 'condenser.sock')
const statsOf = async (id: string): Promise<WireStats> => (await api().get(`/v1/containers/${id}/stats`)).json.data

before(async () => {
  fixture = await daemonFixture()
})
afterEach(() => fixture.clear())
after(() => fixture[Symbol.asyncDispose]())

/** The lines of a stream, as values; leaving the loop hangs up. */
async function* follow<T>(path: string): AsyncGenerator<T> {
  const outgoing = request({ socketPath: socketPath(), path, agent: false }).end()
  const [response] = await once(outgoing, 'response')
  // By who leaves the loop.
  response.on('error', () => {})
  assert.equal(response.headers['content-type'], 'application/x-ndjson')
  let rest = ''
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) yield JSON.parse(line)
  }
}

test('what the kernel counts is what is told: limits, memory, processes, packets', async () => {
  const script = `dd if=/dev/zero of=/dev/shm/x bs=1M count=20; ping -c 3 ${fixture.home.subnet.replace('.0.0/16', '.0.254')}; echo ready; exec sleep 1000`
  const id = await runContainer(fixture, {
    name: 'web',
    command: ['sh', '-c', script],
    memory: 64 * MIB,
    cpus: 0.5,
    pids: 50,
    labels: { tier: 'x' },
  })
  const log = `/v1/containers/${id}/log?tail_lines=100`
  await eventually(
    () => api().get(log),
    ({ text }) => text.includes('ready'),
  )
  const stats = await statsOf('web')
  const inspected = (await api().get(`/v1/containers/${id}/inspect`)).json.data
  assert.match(stats.generated_ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(
    [stats.container_id, stats.container_name, stats.status, stats.pid, stats.labels],
    [id, 'web', 'running', inspected.status.pid, { tier: 'x' }],
  )
  assert.equal(stats.cgroup_path, `${fixture.home.cgroupParent}/${inspected.metadata.uid}`)
  assert.deepEqual([stats.cpu_quota_usec, stats.cpu_period_usec, stats.cpu_unlimited], [50_000, 100_000, false])
  assert(stats.cpu_usage_usec > 0 && stats.cpu_interval_usec > 0)
  // The kernel counts ns, and rounds each of them.
  assert.ok(Math.abs(stats.cpu_user_usec + stats.cpu_system_usec - stats.cpu_usage_usec) <= 1)
  assert.deepEqual([stats.memory_max_bytes, stats.memory_bound_bytes, stats.memory_limited], [64 * MIB, 64 * MIB, true])
  assert(stats.memory_current_bytes > 20 * MIB && stats.memory_current_bytes < 64 * MIB)
  assert(stats.memory_working_set_bytes > 20 * MIB && stats.memory_working_set_bytes <= stats.memory_current_bytes)
  assert.equal(stats.memory_percent, Math.round((stats.memory_current_bytes / (64 * MIB)) * 1e8) / 1e6)
  assert.deepEqual([stats.pids_current, stats.pids_max], [1, 50])
  assert.equal(stats.networks?.length, 1)
  const [link] = stats.networks!
  assert.equal(link!.interface, 'eth0')
  for (const counted of [link!.rx_packets, link!.tx_packets]) assert(counted >= 3)
  for (const counted of [link!.rx_bytes, link!.tx_bytes]) assert(counted >= 3 * 84)

  const { data: all } = (await api().get('/v1/containers/stats')).json
  assert.deepEqual([all.length, all[0].container_id], [1, id])
})

test('one that never ran, or has ended, has zeros; the list has those that run, and null is none', async () => {
  assert.equal((await api().get('/v1/containers/stats')).json.data, null)
  const body = { image: fixture.image, name: 'never', command: SLEEP }
  await api().post('/v1/containers', body)
  const ended = await runContainer(fixture, { name: 'ended', command: ['sh', '-c', 'exit 3'] })
  await api().post(`/v1/containers/${ended}/actions/wait`)
  const [never, over] = [await statsOf('never'), await statsOf('ended')]
  assert.deepEqual([never.status, never.exit_code, over.status, over.exit_code], ['created', 0, 'stopped', 3])
  for (const { generated_ts, pid, cpu_usage_usec, memory_current_bytes, memory_max_bytes, networks } of [never, over]) {
    const found = { generated_ts, pid, cpu_usage_usec, memory_current_bytes, memory_max_bytes, networks }
    const nothing = { generated_ts: '', pid: 0, cpu_usage_usec: 0, memory_current_bytes: 0, memory_max_bytes: null }
    assert.deepEqual(found, { ...nothing, networks: null })
  }
  assert.equal((await api().get('/v1/containers/stats')).json.data, null)
  const named = (await api().get('/v1/containers/stats?container=ended&container=never')).json.data
  assert.deepEqual(
    named.map((one: WireStats) => one.container_name),
    ['ended', 'never'],
  )
  for (const path of [
    'nobody/stats',
    'nobody/stats?stream=true',
    'stats?container=nobody',
    'stats?stream&container=x',
  ]) {
    const { status, json } = await api().get(`/v1/containers/${path}`)
    assert.deepEqual([status, json.code], [404, 'not_found'], path)
  }
})

test('in the host’s network, or in none, there are no links; a paused container is measured too', async () => {
  for (const network of ['host', 'none']) {
    const id = await runContainer(fixture, { network, command: SLEEP })
    assert.equal((await statsOf(id)).networks, null)
  }
  const id = await runContainer(fixture, { command: BUSY })
  await api().post(`/v1/containers/${id}/actions/pause`)
  const paused = await statsOf(id)
  const again = await statsOf(id)
  assert.equal(paused.status, 'paused')
  assert.equal(again.cpu_usage_usec, paused.cpu_usage_usec)
  const { data } = (await api().get('/v1/containers/stats')).json
  assert.equal(data.length, 3)
})

test('an update of limits, a restart and a second network are seen at once', async () => {
  const id = await runContainer(fixture, { command: SLEEP, memory: 64 * MIB })
  await api().post(`/v1/containers/${id}/actions/update`, { memory: 32 * MIB, pids: 20 })
  const updated = await statsOf(id)
  assert.deepEqual([updated.memory_max_bytes, updated.pids_max], [32 * MIB, 20])
  await api().post('/v1/networks', { bridge: 'second' })
  await api().post('/v1/networks/second/actions/connect', { container: id })
  assert.deepEqual(
    (await statsOf(id)).networks?.map((link) => link.interface),
    ['eth0', 'eth1'],
  )
  await api().post(`/v1/containers/${id}/actions/restart?timeout=0`)
  const restarted = await statsOf(id)
  assert.deepEqual([restarted.status, restarted.networks?.length], ['running', 2])
  await api().delete(`/v1/containers/${id}/actions/delete?force`)
  await api().delete('/v1/networks/second/actions/delete')
})

test('a stream measures from line to line, and goes on until the container is gone', async () => {
  const id = await runContainer(fixture, { command: BUSY })
  const seen: WireStats[] = []
  for await (const stats of follow<WireStats>(`/v1/containers/${id}/stats?stream=true`)) {
    seen.push(stats)
    if (seen.length === 3) await api().delete(`/v1/containers/${id}/actions/delete?force=true`)
  }
  const [, second, third] = seen
  assert(third!.cpu_usage_usec > second!.cpu_usage_usec)
  assert.equal(third!.generated_ts > second!.generated_ts, true)
  const used = third!.cpu_usage_usec - second!.cpu_usage_usec
  assert.ok(Math.abs(used - third!.cpu_cores * third!.cpu_interval_usec) < 1e4)
})

test('a stream of all has whole lists, and each has those that run then', async () => {
  const lists: string[][] = []
  for await (const list of follow<WireStats[]>('/v1/containers/stats?stream=true')) {
    lists.push(list.map((one) => one.container_name))
    if (lists.length === 1) await runContainer(fixture, { name: 'a', command: SLEEP })
    if (lists.at(-1)!.length === 1) break
  }
  assert.deepEqual([lists[0], lists.at(-1)], [[], ['a']])
})

test('a long list comes in parts, and is one answer all the same', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `c${index}`)
  await Promise.all(names.map((name) => api().post('/v1/containers', { image: fixture.image, name, command: SLEEP })))
  const query = names.map((name) => `container=${name}`).join('&')
  const { status, headers, json } = await api().get(`/v1/containers/stats?${query}`)
  assert.deepEqual([status, headers['content-type'], json.status], [200, 'application/json', 'success'])
  assert.deepEqual(
    json.data.map((one: WireStats) => one.container_name),
    names,
  )
  for await (const list of follow<WireStats[]>(`/v1/containers/stats?stream=true&${query}`)) {
    assert.equal(list.length, names.length)
    break
  }
})

test('who does not read a stream misses looks, and holds nobody up', async () => {
  for (const name of ['a', 'b']) await runContainer(fixture, { name, command: SLEEP })
  const slow = createConnection(socketPath())
  slow.write('GET /v1/containers/stats?stream=true HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(slow, 'readable')
  let looks = 0
  for await (const list of follow<WireStats[]>('/v1/containers/stats?stream=true')) {
    assert.equal(list.length, 2)
    if (++looks === 3) break
  }
  slow.destroy()
  assert.equal((await api().get('/v1/health')).status, 200)
})

test('a daemon that ends ends its streams', async () => {
  const following = follow<WireStats[]>('/v1/containers/stats?stream=true')
  await following.next()
  const stopped = fixture.daemon.stop()
  await eventually(
    () => following.next(),
    ({ done }) => done,
  )
  await stopped
  await fixture.restart()
})

test('raind stats: a table, sorted; JSON; and one that changes on a terminal', async () => {
  const env = { ...process.env, CONDENSER_SOCKET: socketPath(), TERM: 'xterm' }
  const raind = async (...args: string[]) => {
    const child = spawn(RAIND, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { code, stdout, stderr }
  }
  await runContainer(fixture, { name: 'idle', command: SLEEP, memory: 64 * MIB })
  await runContainer(fixture, { name: 'busy', command: BUSY })
  await api().post('/v1/containers', { image: fixture.image, name: 'never', command: SLEEP })

  const table = (await raind('stats', '--no-stream')).stdout.split('\n')
  assert.match(table[0]!, /^NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/)
  assert.match(table[1]!, /^busy +[1-9]\d*\.\d\d% +\S+iB \/ \S+GiB +\d+\.\d\d% +\S+B \/ \S+B +\S+B \/ \S+B +1$/)
  assert.match(table[2]!, /^idle +0\.\d\d% +\S+B \/ 64MiB /)
  assert.equal(table[3], '')
  for (const column of ['CPU %', 'MEM USAGE', 'PIDS']) {
    assert.match(table[1]!.slice(table[0]!.indexOf(column)), /^\S/, `${column} is aligned`)
  }
  const named = await raind('stats', '--no-stream', '--sort', 'cpu', 'idle', 'never', 'busy')
  assert.deepEqual(
    named.stdout.split('\n').map((line) => line.split(' ')[0]),
    ['NAME', 'busy', 'idle', 'never', ''],
  )
  assert.match(named.stdout, /^never +-- +-- \/ -- +-- +-- \/ -- +-- \/ -- +--$/m)
  const listed = JSON.parse((await raind('stats', '--no-stream', '--json')).stdout)
  assert.deepEqual(
    listed.map((one: WireStats) => one.container_name),
    ['busy', 'idle'],
  )
  assert.equal((await raind('stats', '--sort', 'size')).code, 125)
  assert.match((await raind('stats', 'nobody')).stderr, /No such container: "nobody"/)

  // script(1) gives it a terminal.
  const live = spawn('script', ['-qec', `${RAIND} stats`, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let screen = ''
  for await (const chunk of live.stdout) {
    screen += chunk
    if (screen.split('\x1b[3A').length > 2) break
  }
  live.kill()
  assert.match(screen, /\x1b\[3ANAME .*\x1b\[K\r?\nbusy /)
})
