import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { promisify } from 'node:util'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { type ParsedMetric, parseMetrics } from '../support/prometheus.ts'

runInOwnNamespaces(import.meta.filename)

const run = promisify(execFile)
const MIB = 1024 * 1024
const TOKEN = 'a-token-that-is-long-enough'
const DOOR = 'http://127.0.0.1:19477'

let fixture: DaemonFixture
let tokenFile: string

before(async () => {
  fixture = await daemonFixture({ listen: '127.0.0.1:7755' })
  const { config, root, cgroupParent } = fixture.home
  tokenFile = join(dirname(root), 'token')
  await writeFile(tokenFile, `${TOKEN}\n`, { mode: 0o640 })
  await writeFile(
    config,
    `cgroupParent: ${cgroupParent}\nmetrics: { listen: '127.0.0.1:19477', tokenFile: ${tokenFile} }\n`,
  )
  await fixture.restart()
})
afterEach(() => fixture.clear())
after(() => fixture[Symbol.asyncDispose]())

async function scrape(): Promise<ReadonlyMap<string, ParsedMetric>> {
  const { status, headers, text } = await fixture.daemon.api.get('/metrics')
  assert.deepEqual([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8'])
  return parseMetrics(text)
}

/** Of the one series that has these labels. */
function value(
  metrics: ReadonlyMap<string, ParsedMetric>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const base = name.replace(/_(bucket|sum|count)$/, '')
  const samples = (metrics.get(name) ?? metrics.get(base))?.samples ?? []
  const found = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
  )
  assert.equal(found.length, 1, `${name}${JSON.stringify(labels)}`)
  return found[0]!.value
}

test('the daemon, what it has, and how long its answers take', async () => {
  const before = await scrape()
  await fixture.daemon.api.post('/v1/images', { image: fixture.image })
  await fixture.daemon.api.post('/v1/images', { image: `${fixture.registry.host}/nothing` })
  await fixture.daemon.api.post('/v1/containers', { image: fixture.image, name: 'never' })
  for (let turn = 0; turn < 3; turn++) await fixture.daemon.api.get('/v1/containers/never')
  await fixture.daemon.api.get('/nowhere')
  await fixture.daemon.api.get(`/v1/containers/nobody/inspect`)
  const metrics = await scrape()

  const [build] = metrics.get('condenser_build_info')!.samples
  assert.deepEqual(Object.keys(build!.labels), ['version', 'node', 'runtime', 'runtime_version'])
  for (const name of [
    'process_resident_memory_bytes',
    'process_open_fds',
    'process_cpu_seconds_total',
    'condenser_image_layer_bytes',
    'condenser_event_loop_active_seconds_total',
  ]) {
    assert(value(metrics, name) > 0, name)
  }
  assert(Math.abs(value(metrics, 'process_start_time_seconds') - Date.now() / 1000) < 600)
  assert(value(metrics, 'condenser_store_revision_total') > value(before, 'condenser_store_revision_total'))
  assert.equal(value(metrics, 'condenser_images'), 1)
  assert.equal(value(metrics, 'condenser_containers', { state: 'created' }), 1)
  assert.equal(value(metrics, 'condenser_containers', { state: 'running' }), 0)
  assert.deepEqual(
    ['success', 'failure'].map((result) => value(metrics, 'condenser_image_pulls_total', { result })),
    [1, 1],
  )
  assert.equal(value(metrics, 'condenser_image_pulls_running'), 0)

  const count = 'condenser_http_request_duration_seconds_count'
  const get = (route: string, status: string) => value(metrics, count, { route, method: 'GET', status })
  assert.equal(get('/v1/containers/:containerId', '2xx'), 3)
  assert.equal(get('/v1/containers/:containerId/inspect', '4xx'), 1)
  assert.equal(value(metrics, count, { route: 'none', method: 'none', status: '4xx' }), 1)
})

test('a container has its series while it has a process, and what waits is no slow answer', async () => {
  const id = await runContainer(fixture, { name: 'web', command: ['sleep', '1000'], memory: 64 * MIB, cpus: 0.5 })
  const ended = await runContainer(fixture, { name: 'ended', command: ['true'] })
  await fixture.daemon.api.post(`/v1/containers/${ended}/actions/wait`)
  const metrics = await scrape()
  const own = { id, name: 'web' }
  assert.equal(value(metrics, 'condenser_containers', { state: 'running' }), 1)
  assert.equal(value(metrics, 'condenser_container_info', { ...own, image: `${fixture.image}:latest` }), 1)
  assert.equal(value(metrics, 'condenser_container_memory_limit_bytes', own), 64 * MIB)
  assert.equal(value(metrics, 'condenser_container_cpu_limit_cores', own), 0.5)
  assert.equal(value(metrics, 'condenser_container_pids', own), 1)
  assert.equal(value(metrics, 'condenser_container_restarts_total', own), 0)
  assert(value(metrics, 'condenser_container_cpu_seconds_total', own) > 0)
  assert(value(metrics, 'condenser_container_memory_bytes', own) > 0)
  for (const operation of ['read', 'write']) value(metrics, 'condenser_container_io_bytes_total', { ...own, operation })
  for (const way of ['receive', 'transmit']) {
    value(metrics, `condenser_container_network_${way}_bytes_total`, { ...own, interface: 'eth0' })
  }
  assert(value(metrics, 'condenser_container_start_duration_seconds_count') >= 2)
  const text = [...metrics.values()]
    .flatMap(({ samples }) => samples.map(({ labels }) => Object.values(labels).join(' ')))
    .join('\n')
  assert.doesNotMatch(text, /ended|actions\/wait/)
})

test('the loopback door opens to the token only, and to nothing but the metrics', async () => {
  const curl = async (path: string, ...headers: string[]) => {
    const flags = headers.flatMap((header) => ['-H', header])
    const { stdout } = await run('curl', ['-sS', '-w', '\n%{http_code}', ...flags, `${DOOR}${path}`])
    return { status: stdout.split('\n').at(-1), body: stdout.slice(0, -3) }
  }
  for (const header of [
    '',
    'Authorization: Bearer',
    `Authorization: Bearer ${TOKEN}x`,
    `Authorization: Basic ${TOKEN}`,
    'Authorization: Bearer ',
  ]) {
    const { status, body } = await curl('/metrics', header)
    assert.equal(status, '401', header)
    assert.doesNotMatch(body, /condenser_/)
  }
  const authorized = `Authorization: Bearer ${TOKEN}`
  const { status, body } = await curl('/metrics', authorized)
  assert.equal(status, '200')
  assert(parseMetrics(body.slice(0, -1)).has('condenser_build_info'))
  for (const path of ['/v1/containers', '/v1/version', '/']) assert.equal((await curl(path, authorized)).status, '404')
  await eventually(() => /"message":"audit".*"status":401/.test(fixture.daemon.log()))
  assert.doesNotMatch(fixture.daemon.log(), new RegExp(TOKEN))

  await writeFile(tokenFile, `another-${TOKEN}`)
  assert.equal((await curl('/metrics', authorized)).status, '401', 'the file is read anew')
  await writeFile(tokenFile, TOKEN)
})

test('over TLS they are for holders of a client certificate', async () => {
  const cert = (name: string) => join(fixture.home.certDir, name)
  const curl = (pair: string) =>
    run('curl', [
      '-sS',
      '--cacert',
      cert('raind.crt'),
      '--cert',
      cert(`${pair}.crt`),
      '--key',
      cert(`${pair}.key`),
      'https://localhost:7755/metrics',
    ])
  assert(parseMetrics((await curl('raindClient')).stdout).has('condenser_build_info'))
  assert.equal((await curl('raindHookClient')).stdout, 'forbidden')
})

test('a token that everybody may read, or that is too short, ends the boot with what to do', async () => {
  await chmod(tokenFile, 0o644)
  await assert.rejects(
    fixture.restart(),
    /Cannot use metrics.tokenFile .*: everybody may read or write it; chmod o= it/,
  )
  await chmod(tokenFile, 0o640)
  await writeFile(tokenFile, 'short')
  await assert.rejects(fixture.restart(), /a token has at least 16 characters, as from: openssl rand -hex 32/)
  await writeFile(tokenFile, TOKEN)
  await fixture.restart()
})
