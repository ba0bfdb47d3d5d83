import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { type Daemon, type Home, makeHome, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { assertNoLeak, observe, type World } from '../support/leak-check.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { layoutTar } from '../support/oci-image.ts'
import { PublicCli } from '../support/public-cli.ts'
import { pushImage, startRegistry, type TestRegistry } from '../support/registry.ts'
import { busyboxImage } from '../support/test-image.ts'

runInOwnNamespaces(import.meta.filename)

const MINUTES = /^\d minutes ago$/

let home: Home
let daemon: Daemon
let registry: TestRegistry
let cli: PublicCli
let image: string
let clean: World

before(async () => {
  registry = await startRegistry()
  await pushImage(registry, 'busybox', busyboxImage())
  await pushImage(registry, 'team/app', busyboxImage({ config: { User: 'app' } }))
  // The CLI asks for raind0 unless it is told otherwise.
  home = { ...(await makeHome()), bridge: 'raind0' }
  daemon = await startDaemon(home, { listen: '127.0.0.1:7755' })
  cli = new PublicCli(home.certDir)
  image = `${registry.host}/busybox`
  await cli.pull(image)
  clean = await observe(home)
})
afterEach(async () => {
  for (const [id] of await cli.ls()) await daemon.api.delete(`/v1/containers/${id}/actions/delete?force=true`)
  await assertNoLeak(clean, home)
})
after(async () => {
  await daemon[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
})

test('container create with every flag, start, ls, logs, exec, stop, rm', async () => {
  const volume = join(dirname(home.root), 'volume')
  await mkdir(volume)
  const script = 'echo "$GREETING <&>"; ls -d /data; exec sleep 1000'
  const flags = {
    name: 'web',
    publish: ['18080:80', '18081:81:udp'],
    env: ['GREETING=hi'],
    volume: [`${volume}:/data`],
    network: 'raind0',
    tty: false,
  }
  const id = await cli.create(image, ['sh', '-c', script], flags)
  assert.match(id, /^[0-9a-z]{12}$/)
  assert.deepEqual(
    (await cli.ls()).map((row) => row[4]),
    ['created'],
  )
  assert.equal(await cli.start('web'), id)
  const [row] = await cli.ls()
  const ports = '0.0.0.0:18080->80/tcp, 0.0.0.0:18081->81/udp'
  const [shownId, shownImage, command, created, ...rest] = row!
  assert.deepEqual([shownId, shownImage, rest], [id, 'busybox:latest', ['running', ports, 'web']])
  assert.equal(command, '"sh -c echo "$GREETIN…"')
  assert.match(created!, MINUTES)
  await eventually(
    () => cli.logs('web'),
    (log) => log.includes('/data'),
  )
  assert.equal(await cli.logs('web'), 'hi <&>\n/data\n')
  assert.equal(await cli.logs('web', 1), '/data\n')
  await cli.exec('web', ['touch', '/data/made'])
  await cli.stop(id)
  assert.deepEqual(
    (await cli.ls()).map((stopped) => stopped[4]),
    ['stopped'],
  )
  await cli.start(id, { tty: true })
  await cli.stop('web')
  await cli.rm('web')
  assert.deepEqual(await cli.ls(), [])
})

test('run; and run --rm, whose delete comes 200 ms after the end', async () => {
  const id = await cli.run(image, ['sleep', '1000'], { name: 'stays' })
  assert.deepEqual(
    (await cli.ls()).map((row) => [row[0], row[4], row[6]]),
    [[id, 'running', 'stays']],
  )
  await cli.stop(id)
  await cli.rm(id)
  const untilEnded = async (container: string) =>
    void (await daemon.api.post(`/v1/containers/${container}/actions/wait`))
  for (let turn = 0; turn < 3; turn++) await cli.run(image, ['true'], { rm: true }, untilEnded)
  assert.deepEqual(await cli.ls(), [])
})

test('lists are null or an array, with nothing in them and with something', async () => {
  assert.equal(JSON.parse((await cli.request('GET', '/v1/containers')).body).data, null)
  await cli.create(image)
  assert.equal(JSON.parse((await cli.request('GET', '/v1/containers')).body).data.length, 1)
})

test('images of every kind of name can be listed, and so can their containers', async () => {
  await cli.pull(`${registry.host}/team/app:latest`, { os: 'linux', arch: process.arch === 'x64' ? 'amd64' : 'arm64' })
  const archive = layoutTar({ 'local:1': busyboxImage(), 'localhost:5000/x:2': busyboxImage() })
  assert.equal((await daemon.api.post('/v1/images/load', archive)).status, 200)
  // Without a tag of its own: the name goes on to another image. And by its digest only.
  await cli.pull(`${registry.host}/busybox`)
  await daemon.api.post('/v1/images/tag', { image: 'local:1', target: 'moved:1' })
  await daemon.api.post('/v1/images/tag', { image: `${registry.host}/team/app`, target: 'moved:1' })
  const { data: status } = (await daemon.api.get(`/v1/images/status?image=${registry.host}/team/app`)).json
  const [byDigest] = status.repoDigests.filter((name: string) => name.startsWith(registry.host))
  await cli.pull(byDigest)
  const images = await cli.images()
  const names = images.map(([repository, reference]) => `${repository}:${reference}`)
  for (const name of ['local:1', 'moved:1', 'localhost:5000/x:2', `${registry.host}/team/app:latest`]) {
    assert(names.includes(name), `${name} in ${names}`)
  }
  assert(names.includes(byDigest.replace('@', ':')), `${byDigest} in ${names}`)
  for (const [, , created] of images) assert.match(created!, MINUTES)

  for (const name of ['local:1', 'localhost:5000/x:2', byDigest, image]) await cli.create(name, ['true'])
  const shown = (await cli.ls()).map((row) => row[1])
  assert.deepEqual(shown, ['local:1', 'x:2', `team:${byDigest.split('@')[1]}`, 'busybox:latest'])
  for (const [id] of await cli.ls()) await cli.rm(id!)
  for (const name of [byDigest, `${registry.host}/team/app:latest`, 'local:1', 'moved:1', 'localhost:5000/x:2'])
    await cli.rmi(name)
  assert.deepEqual(
    (await cli.images()).map(([repository]) => repository),
    [image],
  )
})

test('every failure has a message to show, also where an answer would be text', async () => {
  const cases: readonly [() => Promise<unknown>, RegExp][] = [
    [() => cli.start('nobody'), /404: No such container: "nobody"/],
    [() => cli.stop('nobody'), /404: No such container/],
    [() => cli.rm('nobody'), /404: No such container/],
    [() => cli.exec('nobody', ['true']), /404: No such container/],
    [() => cli.logs('nobody'), /404: No such container/],
    [() => cli.create('none.invalid/x'), /Cannot/],
    [() => cli.create(image, [], { publish: ['x'] }), /400: /],
    [() => cli.rmi('nothing:1'), /404: No such image/],
    [() => cli.pull(`${registry.host}/nothing`), /404: /],
  ]
  for (const [failing, message] of cases) await assert.rejects(failing, message)
  const id = await cli.create(image, ['sleep', '1000'])
  await assert.rejects(cli.stop(id), /409: Cannot stop container/)
  await cli.start(id)
  await assert.rejects(cli.start(id), /409: .* already running/)
  await assert.rejects(cli.rm(id), /409: /)
  await assert.rejects(cli.logs(id, 5001), /400: /)
})

test('policies and their log say that they are not there yet', async () => {
  const { policy } = cli
  const body = { chain: 'RAIND-EW', source: 'a', dest: 'b', protocol: 'tcp', dport: 80, comment: '' }
  for (const chain of ['RAIND-EW', 'RAIND-NS-OBS', 'RAIND-NS-ENF'])
    await assert.rejects(policy.ls(chain), /501: Network policies are not there yet/)
  for (const asked of [
    () => policy.add(body),
    () => policy.rm('01ARZ3NDEKTSV4RRFFQ69G5FAV'),
    () => policy.commit(),
    () => policy.revert(),
    () => policy.nsMode('observe'),
  ]) {
    await assert.rejects(asked, /501: Network policies are not there yet/)
  }
  await assert.rejects(policy.netflow(), /501: There is no log of network flows yet/)
})

test('run -t --rm: the terminal, its size first, byte for byte, and the delete 200 ms after it has closed', async () => {
  const id = await cli.run(image, ['sh'], { tty: true, rm: true }, async (container) => {
    const terminal = await cli.attach(container)
    terminal.type('stty size; echo $((40 + 2))\n')
    await terminal.until(/30 100\r\n42\r\n/)
    await terminal.ping()
    terminal.resize(31, 101)
    terminal.type('stty size\n')
    await terminal.until(/31 101\r\n/)
    terminal.typeInPieces('echo cut; echo to pieces\n', 3)
    await terminal.until(/cut\r\nto pieces\r\n/)
    terminal.type('exit 3\n')
    assert.deepEqual(await terminal.closed(), { code: 1000, reason: 'stream closed' })
  })
  assert.match(id, /^[0-9a-f]{12}$/)
  assert.deepEqual(await cli.ls(), [])
})

test('attach and detach: the container goes on, and can be attached to again', async () => {
  const id = await cli.create(image, ['sh'], { tty: true })
  await cli.start(id)
  const first = await cli.attach(id)
  first.type('echo first\n')
  await first.until(/first\r\n/)
  first.detach()
  assert.equal((await first.closed()).code, 1001)
  assert.equal((await cli.ls())[0]![4], 'running')
  const second = await cli.attach(id)
  second.type('echo second; exit\n')
  await second.until(/second\r\n/)
  assert.equal((await second.closed()).code, 1000)
  await cli.rm(id)
})

test('exec -t: answered at once, then the terminal', async () => {
  const id = await cli.run(image, ['sleep', '1000'])
  const terminal = await cli.execTerminal(id, ['sh'])
  terminal.type('tty; stty size; head -c 100000 /dev/zero | tr "\\0" x; echo; echo done; exit\n')
  await terminal.until(/done\r\n/)
  assert.match(terminal.output, /\/dev\/pts\/\d+\r\n30 100\r\nx{100000}\r\n/)
  assert.deepEqual(await terminal.closed(), { code: 1000, reason: 'stream closed' })
})

test('what cannot be attached to is refused before the upgrade, in plain text', async () => {
  const id = await cli.run(image, ['sleep', '1000'])
  await assert.rejects(cli.attach('nobody'), /refused: 400 text\/plain.*: .*nobody/s)
  await assert.rejects(cli.attach(id), /refused: 400 text\/plain/)
})
