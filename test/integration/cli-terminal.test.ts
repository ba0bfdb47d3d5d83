import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DaemonFixture, daemonFixture } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { layoutTar, ociImage } from '../support/oci-image.ts'
import { pushImage, startRegistry, type TestRegistry } from '../support/registry.ts'
import { startRegistryProxy } from '../support/registry-proxy.ts'
import { type InTerminal, inTerminal, type Step } from '../support/terminal.ts'

runInOwnNamespaces(import.meta.filename)

const RAIND = join(import.meta.dirname, '../../bin/raind')
const SIGINT = 2
const SIGTERM = 15
const login = { username: 'ann', password: 'Open:sésame-1' }

/** Takes a while to send, however fast the machine is. */
const BIG = ociImage({ layers: [[{ path: 'big', content: randomBytes(40_000_000) }]] })

let fixture: DaemonFixture
let guarded: TestRegistry
let dir: string

before(async () => {
  fixture = await daemonFixture()
  guarded = await startRegistry({ htpasswd: login })
})
beforeEach(async () => {
  dir = await mkdtemp('/var/tmp/condenser-cli-')
})
afterEach(async () => {
  await rm(dir, { recursive: true })
  await fixture.clear()
})
after(async () => {
  await guarded[Symbol.asyncDispose]()
  await fixture[Symbol.asyncDispose]()
})

/** `raind` in a terminal, as a shell's foreground job. */
function raind(args: readonly string[], ...steps: Step[]): Promise<InTerminal> {
  return shell([RAIND, ...args], ...steps)
}

function shell(argv: readonly string[], ...steps: Step[]): Promise<InTerminal> {
  const CONDENSER_SOCKET = join(fixture.home.run, 'condenser.sock')
  return inTerminal(argv, steps, { CONDENSER_SOCKET, DOCKER_CONFIG: dir, RAIND })
}

test('login asks for a name and a password, and shows the one only', async () => {
  // Wrongly typed keys are taken back: by the terminal in the name, by us in the password.
  const typed = `wrong\x15${login.password}x\x7f\r`
  const done = await raind(['login', guarded.host], [/Username: $/, `anne\x7f\n`], [/Password: $/, typed])
  assert.deepEqual([done.code, done.isSane], [0, true], done.shown)
  assert.match(done.shown, /Password: \r?\nregistry: .* login completed/)
  assert.ok(!done.shown.includes(login.password) && !done.shown.includes('wrong'), done.shown)
  const { auths } = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'))
  assert.equal(Buffer.from(auths[guarded.host].auth, 'base64').toString(), `${login.username}:${login.password}`)
})

test('Ctrl-C and SIGTERM end the questions, and leave the terminal as it was', async () => {
  for (const [args, steps, code] of [
    [['login', guarded.host], [[/Username: $/, '\x03']], -SIGINT],
    [['login', '-u', 'ann', guarded.host], [[/Password: $/, 'secr\x03']], -SIGINT],
    [['login', '-u', 'ann', guarded.host], [[/Password: $/, 'kill -TERM']], -SIGTERM],
    [['login', '-u', 'ann', guarded.host], [[/Password: $/, '\x04']], 1],
    [['login', guarded.host], [[/Username: $/, '\x04']], 1],
    [['container', 'prune'], [[/\[y\/N\] $/, '\x03']], -SIGINT],
  ] as const satisfies [string[], Step[], number][]) {
    const { isSane, shown, ...ended } = await raind(args, ...steps)
    assert.deepEqual([ended.code, isSane], [code, true], shown)
    assert.doesNotMatch(shown, /secr/)
  }
  assert.deepEqual(await readdir(dir), [])
})

test('a shell sees 130, and its loops end', async () => {
  const script = 'for i in 1 2; do "$RAIND" login -u ann example.com; done; echo "went on"'
  const loop = await shell(['bash', '-c', script], [/Password: $/, '\x03'])
  assert.doesNotMatch(loop.shown, /went on/)
  const once = await shell(
    ['sh', '-c', 'trap : INT; "$RAIND" login -u ann example.com; echo "code $?"'],
    [/Password: $/, '\x03'],
  )
  assert.match(once.shown, /code 130/)
})

test('a prune asks, and does nothing without a yes', async () => {
  const { api } = fixture.daemon
  await api.post('/v1/containers', { image: fixture.image, name: 'one' })
  const count = async () => ((await api.get('/v1/containers')).json.data ?? []).length
  for (const answer of ['n', '', 'yess']) {
    const refused = await raind(
      ['container', 'prune'],
      [/This will remove:\r\n {2}- all containers[^$]*\[y\/N\] $/, `${answer}\n`],
    )
    assert.deepEqual([refused.code, await count()], [1, 1], refused.shown)
  }
  const wrong = await raind(['container', 'prune', '--filter', 'utnil=1h'])
  assert.match(wrong.shown, /did you mean "until"/)
  const pruned = await raind(
    ['system', 'prune', '--filter', 'until=0s'],
    [/only what is: until=0s[^$]*\[y\/N\] $/, 'Y\n'],
  )
  assert.deepEqual([pruned.code, await count()], [0, 0], pruned.shown)
  assert.match(pruned.shown, /container: one removed/)
})

test('Ctrl-C in a pull leaves it to the daemon, and says so; the next one joins', async () => {
  await using proxy = await startRegistryProxy(fixture.registry)
  await pushImage(fixture.registry, 'test/big', BIG)
  let cut = 1_000_000
  // Never whole: the daemon tries again for a while.
  proxy.cutAfter = () => cut
  const image = `${proxy.host}/test/big`
  const begun = await raind(['pull', image], [/downloading/, '\x03'])
  assert.deepEqual([begun.code, begun.isSane], [-SIGINT, true], begun.shown)
  assert.match(begun.shown, /raind: Interrupted\r\n {2}The daemon goes on with it/)
  cut = Number.MAX_SAFE_INTEGER
  const joined = await raind(['pull', image])
  assert.deepEqual([joined.code, /pull completed/.test(joined.shown)], [0, true], joined.shown)
  await fixture.daemon.api.delete('/v1/images', { image })
})

test('Ctrl-C in a push leaves it to the daemon, and says so; the next one joins', async () => {
  await using proxy = await startRegistryProxy(fixture.registry)
  const { api } = fixture.daemon
  const image = `${proxy.host}/test/pushed`
  assert.equal((await api.post('/v1/images/load', layoutTar({ [image]: BIG }))).status, 200)
  let cut: number | undefined = 1_000_000
  // Never whole: the daemon tries again for a while.
  proxy.cutUploadAfter = () => cut
  const begun = await raind(['push', image], [/uploading/, '\x03'])
  assert.deepEqual([begun.code, begun.isSane], [-SIGINT, true], begun.shown)
  assert.match(begun.shown, /raind: Interrupted\r\n {2}The daemon goes on with it/)
  cut = undefined
  const joined = await raind(['push', image])
  assert.deepEqual([joined.code, /push completed/.test(joined.shown)], [0, true], joined.shown)
  await api.delete('/v1/images', { image })
  assert.equal((await api.post('/v1/images', { image })).status, 200)
  await api.delete('/v1/images', { image })
})

/** Stands between client and daemon; calls `onRequest` before it passes on one that begins so, and waits for that. */
async function pausing(begins: RegExp, onRequest: () => Promise<void>): Promise<AsyncDisposable & { socket: string }> {
  const socket = join(dir, 'between.sock')
  const server = createServer((client) => {
    const daemon = connect(join(fixture.home.run, 'condenser.sock'))
    client.on('data', async (bytes) => {
      if (begins.test(String(bytes))) await onRequest()
      daemon.write(bytes)
    })
    daemon.pipe(client)
    client.on('error', () => {}).on('close', () => daemon.destroy())
    daemon.on('error', () => {}).on('close', () => client.destroy())
  })
  await once(server.listen(socket), 'listening')
  return { socket, [Symbol.asyncDispose]: async () => void server.close() }
}

test('Ctrl-C in a run or create that the daemon has begun leaves no container that nobody was told of', async () => {
  const { api } = fixture.daemon
  for (const [begins, args] of [
    [/^POST \/v1\/containers /, ['create']],
    [/^POST \/v1\/containers /, ['run', '-d']],
    [/^POST \/v1\/containers /, ['run', '--rm']],
    [/^POST \/v1\/containers\/\w+\/actions\/start /, ['run', '-d']],
  ] as const) {
    let child: ChildProcess | undefined
    await using between = await pausing(begins, async () => {
      child?.kill('SIGINT')
      await sleep(500)
    })
    const env = { ...process.env, CONDENSER_SOCKET: between.socket }
    child = spawn(RAIND, [...args, fixture.image, 'sleep', '1000'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const [told, [, signal]] = await Promise.all([text(child.stdout!), once(child, 'exit')])
    assert.deepEqual([told, signal], ['', 'SIGINT'], args.join(' '))
    assert.equal((await api.get('/v1/containers')).json.data, null)
  }
})

test('Ctrl-C while an archive is written or sent leaves nothing of it', async () => {
  const { api, pid } = fixture.daemon
  const archive = layoutTar({ 'big:1': BIG })
  assert.equal((await api.post('/v1/images/load', archive)).status, 200)
  const env = { ...process.env, CONDENSER_SOCKET: join(fixture.home.run, 'condenser.sock') }
  const saving = spawn(RAIND, ['save', '-o', join(dir, 'big.tar'), 'big:1'], { env, stdio: 'ignore' })
  const saved = once(saving, 'exit')
  await eventually(
    () => readdir(dir),
    (names) => names.some((name) => name.endsWith('.tmp')),
    1,
  )
  // Nobody can be so fast that nothing is left to write.
  process.kill(pid, 'SIGSTOP')
  saving.kill('SIGINT')
  assert.deepEqual(await saved, [null, 'SIGINT'])
  process.kill(pid, 'SIGCONT')
  assert.deepEqual(await readdir(dir), [])

  await api.delete('/v1/images', { image: 'big:1' })
  const blobs = async () => (await fixture.daemon.api.get('/v1/system/df')).json.data.blobs
  const before = await blobs()
  const loading = spawn(RAIND, ['load'], { env, stdio: ['pipe', 'ignore', 'ignore'] })
  const loaded = once(loading, 'exit')
  await new Promise((resolve) => loading.stdin.write(archive.subarray(0, 20_000_000), resolve))
  loading.kill('SIGINT')
  assert.deepEqual(await loaded, [null, 'SIGINT'])
  loading.stdin.destroy()
  // The next daemon begins with what this one has left.
  await fixture.restart()
  assert.deepEqual(await blobs(), before)
})
