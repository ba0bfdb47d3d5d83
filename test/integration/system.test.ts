import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { WireDiskUsage, WirePruned, WireSystemInfo, WireSystemPruned } from '../../src/api/raind/index.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { layoutTar, ociImage } from '../support/oci-image.ts'

runInOwnNamespaces(import.meta.filename)

let fixture: DaemonFixture
const api = () => fixture.daemon.api

before(async () => {
  fixture = await daemonFixture()
})
afterEach(() => fixture.clear())
after(() => fixture[Symbol.asyncDispose]())

async function ok<T>(answer: ReturnType<DaemonFixture['daemon']['api']['get']>): Promise<T> {
  const { status, text, json } = await answer
  assert.equal(status, 200, text)
  return json.data
}
const prune = (noun: string, body: object = {}) => ok<WirePruned>(api().post(`/v1/${noun}/prune`, body))
const df = () => ok<WireDiskUsage>(api().get('/v1/system/df'))
const names = async (query: string) =>
  ((await ok<{ name: string }[] | null>(api().get(`/v1/containers?${query}`))) ?? []).map(({ name }) => name).sort()

/** Runs a container to its end. */
async function stopped(body: object): Promise<string> {
  const id = await runContainer(fixture, body)
  await ok(api().post(`/v1/containers/${id}/actions/wait`))
  return id
}

test('info tells of the daemon, the host and the runtimes', async () => {
  await runContainer(fixture, { command: ['sleep', '1000'], name: 'runs' })
  await stopped({ command: ['true'], name: 'ended' })
  const info = await ok<WireSystemInfo>(api().get('/v1/system/info'))
  assert.deepEqual(info.containers, { total: 2, running: 1, stopped: 1 })
  assert.deepEqual([info.images, info.networks], [{ total: 1, untagged: 0 }, 1])
  assert.deepEqual([info.root, info.run, info.pid], [fixture.home.root, fixture.home.run, fixture.daemon.pid])
  assert.deepEqual([info.network.default, info.listen], [fixture.home.bridge, ''])
  const used = info.runtimes.filter(({ used }) => used)
  assert.deepEqual(
    used.map(({ name, version }) => ({ name, version })),
    [(await ok<{ runtime: object }>(api().get('/v1/version'))).runtime],
  )
  assert.deepEqual(
    info.runtimes.map(({ name }) => name),
    ['crun', 'runc'],
  )
  assert.ok(info.runtimes.every(({ why }) => why !== ''))
  assert.ok(info.host.cpus > 0 && info.host.memoryBytes > 2 ** 20 && info.store.sizeBytes > 0)
  assert.ok(['v1', 'v2', 'hybrid'].includes(info.host.cgroups))
  assert.ok(info.host.apparmor !== '' || info.warnings.some((warning) => /AppArmor/.test(warning)))
})

test('df measures what containers have written, each hard link once, and follows no link out', async () => {
  const empty = await df()
  assert.deepEqual([empty.containers.total, empty.containers.sizeBytes, empty.logs.sizeBytes], [0, 0, 0])
  assert.deepEqual([empty.images.total, empty.images.active], [1, 0])
  assert.equal(empty.images.reclaimableBytes, empty.images.sizeBytes)
  assert.equal(empty.blobs.reclaimableBytes, empty.blobs.sizeBytes)
  const script = `head -c 3000000 /dev/zero > /a; ln /a /b; mkdir -p /x/y; ln -s / /x/y/up; ln -s /proc /x/proc
    cd /x; for n in $(seq 150); do mkdir a-rather-long-name-of-a-directory; cd -P a-rather-long-name-of-a-directory; done
    cd /; head -c 5000 /dev/zero | tr '\\0' x`
  await stopped({ command: ['sh', '-c', script], name: 'writer' })
  await runContainer(fixture, { command: ['sleep', '1000'], name: 'idle' })
  const full = await df()
  assert.deepEqual([full.containers.total, full.containers.active, full.images.active], [2, 1, 1])
  assert.deepEqual([full.images.reclaimableBytes, full.blobs.reclaimableBytes], [0, 0])
  const writer = full.containers.items.find(({ name }) => name === 'writer')!
  assert.ok(writer.sizeBytes >= 3_000_000 && writer.sizeBytes < 5_500_000, String(writer.sizeBytes))
  assert.ok(writer.logBytes >= 5000 && writer.logBytes < 6000, String(writer.logBytes))
  assert.equal(full.containers.reclaimableBytes, writer.sizeBytes)

  const pruned = await prune('containers')
  assert.deepEqual(pruned, { removed: ['writer'], reclaimedBytes: writer.sizeBytes + writer.logBytes })
  assert.deepEqual(await names(''), ['idle'])
})

test('container prune takes what does not run, and of that what the filters say', async () => {
  await runContainer(fixture, { command: ['sleep', '1000'], name: 'runs', labels: { a: '1' } })
  const paused = await runContainer(fixture, { command: ['sleep', '1000'], name: 'paused' })
  await ok(api().post(`/v1/containers/${paused}/actions/pause`))
  await stopped({ command: ['true'], name: 'one', labels: { a: '1' } })
  await stopped({ command: ['true'], name: 'two', labels: { a: '2' } })
  await ok(api().post('/v1/containers', { image: fixture.image, name: 'never-started' }))
  assert.deepEqual((await prune('containers', { until: '1h' })).removed, [])
  assert.deepEqual((await prune('containers', { label: ['a=1'] })).removed, ['one'])
  assert.deepEqual((await prune('containers', { label: ['!a'], until: '0s' })).removed, ['never-started'])
  assert.deepEqual((await prune('containers')).removed, ['two'])
  assert.deepEqual(await names(''), ['paused', 'runs'])
})

test('network prune leaves the default network and what a container is attached to, also a stopped one', async () => {
  for (const bridge of ['held', 'free', 'kept']) {
    await ok(api().post('/v1/networks', { bridge, labels: bridge === 'kept' ? { keep: '' } : {} }))
  }
  await stopped({ command: ['true'], name: 'user', network: 'held' })
  assert.deepEqual(await prune('networks', { label: ['!keep'] }), { removed: ['free'], reclaimedBytes: 0 })
  const dangling = await ok<{ Name: string }[]>(api().get('/v1/networks?dangling=true'))
  assert.deepEqual(dangling.map(({ Name }) => Name).sort(), [fixture.home.bridge, 'kept'].sort())
  assert.deepEqual((await prune('networks')).removed, ['kept'])
  await ok(api().delete('/v1/containers/user/actions/delete'))
  assert.deepEqual((await prune('networks')).removed, ['held'])
})

test('system prune takes all three, the images last', async () => {
  const archive = (name: string) =>
    layoutTar({ [name]: ociImage({ layers: [[{ path: 'x', content: Buffer.alloc(50_000, name) }]] }) })
  await ok(api().post('/v1/images/load', archive('app:1')))
  await ok(api().post('/v1/networks', { bridge: 'back' }))
  await stopped({
    command: ['sh', '-c', 'head -c 9000 /dev/zero > /v/x'],
    name: 'user',
    network: 'back',
    mount: ['/v', 'named:/n'],
  })
  const volumes = (await df()).volumes
  assert.deepEqual([volumes.total, volumes.active, volumes.reclaimableBytes], [2, 2, 0])
  assert.ok(volumes.sizeBytes >= 9000, String(volumes.sizeBytes))
  await ok(api().post('/v1/images/load', Buffer.from(archive('app:1'))))
  const pruned = await ok<WireSystemPruned>(api().post('/v1/system/prune', {}))
  assert.deepEqual(
    [pruned.containers.removed, pruned.networks.removed, pruned.images.removed],
    [['user'], ['back'], []],
  )
  assert.deepEqual([(await df()).volumes.total, pruned.volumes], [2, undefined])
  const withVolumes = await ok<WireSystemPruned>(api().post('/v1/system/prune', { volumes: true }))
  assert.deepEqual([withVolumes.volumes?.removed.length, withVolumes.reclaimedBytes >= 9000], [1, true])
  await ok(api().delete('/v1/volumes/named'))
  const all = await ok<WireSystemPruned>(api().post('/v1/system/prune', { all: true, label: ['none'] }))
  assert.deepEqual(all.images.removed, [])
  await ok(api().delete('/v1/images', { image: 'app:1' }))
})

test('lists take docker’s filters', async () => {
  const web = await runContainer(fixture, { command: ['sleep', '1000'], name: 'web-1', labels: { tier: 'front' } })
  await stopped({ command: ['sh', '-c', 'exit 3'], name: 'web-2', labels: { tier: 'back' } })
  await ok(api().post('/v1/networks', { bridge: 'side' }))
  await stopped({ command: ['true'], name: 'db', network: 'side' })
  const { id } = (await ok<{ id: string }[]>(api().get('/v1/images')))[0]!
  for (const [query, expected] of [
    ['name=web', ['web-1', 'web-2']],
    ['name=^db$', ['db']],
    ['name=/db', ['db']],
    ['name=b$&name=1', ['db', 'web-1']],
    ['name=^eb', []],
    ['label=tier', ['web-1', 'web-2']],
    ['label=tier=back', ['web-2']],
    ['label=!tier', ['db']],
    [`id=${web.slice(0, 6)}`, ['web-1']],
    ['exitCode=3', ['web-2']],
    ['all=false&exitCode=3', ['web-2']],
    ['exitCode=0&exitCode=3', ['db', 'web-2']],
    ['network=side', ['db']],
    [`image=${fixture.image}`, ['db', 'web-1', 'web-2']],
    [`image=${id.slice('sha256:'.length, 'sha256:'.length + 12)}&state=running`, ['web-1']],
    ['image=none', []],
  ] as const) {
    assert.deepEqual(await names(query), expected, query)
  }
  for (const query of ['label==x', 'exitCode=x', 'image=Not%20A', 'state=up', 'what=x']) {
    assert.equal((await api().get(`/v1/containers?${query}`)).status, 400, query)
  }
  await ok(api().delete('/v1/containers/db/actions/delete'))
  await prune('networks')
})

test('what cannot be a prune is refused before anything is removed', async () => {
  await stopped({ command: ['true'], name: 'stays' })
  for (const [path, body] of [
    ['containers', { until: 'soon' }],
    ['containers', { label: ['=x'] }],
    ['containers', { all: true }],
    ['networks', { until: '-1h' }],
    ['images', { until: '24x' }],
    ['system', { label: 'a' }],
    ['system', { until: 5 }],
  ] as const) {
    assert.equal((await api().post(`/v1/${path}/prune`, body)).status, 400, JSON.stringify(body))
  }
  assert.deepEqual(await names(''), ['stays'])
})
