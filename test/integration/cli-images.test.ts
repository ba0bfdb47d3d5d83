import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { type DaemonFixture, daemonFixture } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { layoutTar, ociImage } from '../support/oci-image.ts'
import { startRegistry, type TestRegistry } from '../support/registry.ts'

runInOwnNamespaces(import.meta.filename)

const RAIND = join(import.meta.dirname, '../../bin/raind')
const NDJSON = { accept: 'application/x-ndjson' }
const login = { username: 'ann', password: 'Open:sesame-1' }

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
  for (const { repository, reference } of (await fixture.daemon.api.get('/v1/images')).json.data) {
    const image = `${repository}:${reference}`
    if (!image.startsWith(fixture.image)) await fixture.daemon.api.delete('/v1/images', { image })
  }
  assert.ok(!fixture.daemon.log().includes(login.password), 'the password is in the log')
  await rm(dir, { recursive: true })
  await fixture.leakCheck()
})
after(async () => {
  await guarded[Symbol.asyncDispose]()
  await fixture[Symbol.asyncDispose]()
})

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function raind(args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ran> {
  const CONDENSER_SOCKET = join(fixture.home.run, 'condenser.sock')
  const child = spawn(RAIND, args, { env: { ...process.env, CONDENSER_SOCKET, DOCKER_CONFIG: dir, ...env } })
  child.stdin.on('error', () => {}).end(input)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, stdout, stderr }
}

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await raind(args)
  assert.equal(code, 0, stderr)
  return stdout
}

test('tag, ls, inspect, history, rm by id', async () => {
  await ok('tag', fixture.image, 'mine:1')
  const [header, ...rows] = (await ok('images')).split('\n')
  assert.match(header!, /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/)
  const id = /^mine +1 +([0-9a-f]{12}) /.exec(rows.find((row) => row.startsWith('mine'))!)![1]!
  const [details] = JSON.parse(await ok('image', 'inspect', id))
  assert.ok(details.id.startsWith(`sha256:${id}`))
  assert.deepEqual([details.platform.os, details.config.cmd, details.layers.length], ['linux', ['sh'], 1])
  assert.match(await ok('history', 'mine:1'), /^CREATED +CREATED BY +SIZE +COMMENT\nunknown +test +[\d.]+[kM]?B/)
  assert.equal(JSON.parse(await ok('image', 'history', '--json', 'mine:1')).length, 1)
  const several = await raind(['rmi', id])
  assert.equal(several.code, 1)
  assert.match(several.stderr, /several names.*mine:1/)
  assert.equal(await ok('rmi', 'mine:1'), 'image: mine:1 remove completed\n')
})

for (const format of ['oci', 'docker']) {
  test(`${format}: save to a file or a pipe, and load`, async () => {
    const file = join(dir, 'saved.tar')
    await ok('tag', fixture.image, 'mine:1')
    const [before] = JSON.parse(await ok('image', 'inspect', 'mine:1'))
    assert.equal(await ok('save', '--format', format, '-o', file, 'mine:1'), '')
    await ok('rmi', 'mine:1')
    assert.equal(await ok('load', '-i', file), 'image: docker.io/library/mine:1 loaded\n')
    const [after] = JSON.parse(await ok('image', 'inspect', 'mine:1'))
    assert.deepEqual([after.id, after.layers], [before.id, before.layers])
    assert.deepEqual(await readdir(dir), ['saved.tar'])
    const piped = await raind(['image', 'save', '--format', format, 'mine:1'])
    assert.equal(piped.stdout.length, (await readFile(file, 'utf8')).length)
    const missing = await raind(['save', '-o', join(dir, 'none.tar'), 'none'])
    assert.deepEqual([missing.code, missing.stderr], [1, 'raind: No such image: docker.io/library/none:latest\n'])
    assert.deepEqual(await readdir(dir), ['saved.tar'])
  })
}

test('prune tells what it has reclaimed, and leaves what is in use', async () => {
  await ok('create', '--name', 'user', fixture.image)
  const archive = layoutTar({ 'big:1': ociImage({ layers: [[{ path: 'x', content: Buffer.alloc(100_000, 'x') }]] }) })
  assert.equal((await fixture.daemon.api.post('/v1/images/load', archive)).status, 200)
  assert.equal(await ok('image', 'prune', '-f'), 'Total reclaimed space: 0B\n')
  const pruned = await ok('image', 'prune', '--all', '--force')
  assert.match(pruned, /^image: docker\.io\/library\/big:1 remove completed\nTotal reclaimed space: 1\d\d(\.\d)?kB\n$/)
  assert.deepEqual(JSON.parse(await ok('image', 'prune', '-af', '--json')), { removed: [], reclaimedBytes: 0 })
  await ok('rm', 'user')
})

test('images are filtered as docker does; what a tag has left is <none>, and pruned', async () => {
  const archive = (content: string) =>
    layoutTar({ 'moving:1': ociImage({ layers: [[{ path: 'x', content: Buffer.from(content) }]] }) })
  for (const content of ['old', 'new']) await fixture.daemon.api.post('/v1/images/load', archive(content))
  const rows = (await ok('images', 'moving')).split('\n')
  assert.match(rows[1]!, /^moving +<none> +[0-9a-f]{12} /)
  assert.match(
    (await ok('images', '--no-trunc', '-f', 'dangling=false', 'mov*')).split('\n')[1]!,
    /^moving +1 +sha256:/,
  )
  assert.match(await ok('images', '-q', '--filter', 'dangling=true'), /^moving@sha256:[0-9a-f]{64}\n$/)
  assert.equal(await ok('images', '-q', '--filter', 'label=none'), '')
  assert.match(await ok('system', 'df', '-v'), /moving +<none> +[0-9a-f]{12} +\S+ +no/)
  assert.match(await ok('image', 'prune', '-f'), /^image: docker\.io\/library\/moving@sha256:\S+ remove completed\n/)
  assert.equal(await ok('images', '-q', 'moving'), 'moving:1\n')
})

test('login checks, files for the user only, serves push and pull; logout forgets', async () => {
  const name = `${guarded.host}/team/app:1`
  const config = join(dir, 'config.json')
  await writeFile(config, '{"auths":{"other.example":{"auth":"eDp5"}},"detachKeys":"ctrl-x"}', { mode: 0o644 })
  await ok('tag', fixture.image, name)
  const refused = await raind(['push', name])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /raind login/)

  const wrong = await raind(['login', '-u', login.username, '--password-stdin', guarded.host], 'wrong')
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /wrong name or password/)
  assert.equal(Object.keys(JSON.parse(await readFile(config, 'utf8')).auths).length, 1)

  const args = ['login', '-u', login.username, '--password-stdin', guarded.host]
  assert.equal((await raind(args, `${login.password}\n`)).stdout, `registry: ${guarded.host} login completed\n`)
  assert.equal((await stat(config)).mode & 0o777, 0o600)
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64')
  assert.deepEqual(JSON.parse(await readFile(config, 'utf8')), {
    auths: { 'other.example': { auth: 'eDp5' }, [guarded.host]: { auth } },
    detachKeys: 'ctrl-x',
  })
  assert.equal(await ok('push', name), `image: ${name} push completed\n`)
  const lines = (await ok('push', '--json', name)).trimEnd().split('\n')
  assert.deepEqual(JSON.parse(lines.at(-1)!), { type: 'done', image: name })
  await ok('rmi', name)
  await ok('run', '--rm', name, 'true')
  await ok('rmi', name)
  assert.equal(await ok('pull', '-q', name), `image: ${name} pull completed\n`)

  assert.equal(await ok('logout', guarded.host), `registry: ${guarded.host} logout completed\n`)
  assert.deepEqual(Object.keys(JSON.parse(await readFile(config, 'utf8')).auths), ['other.example'])
  assert.equal((await raind(['push', name])).code, 1)
  assert.match(await ok('logout', guarded.host), /was not logged in to/)
})

test('a credential helper keeps the login instead', async () => {
  const helper = join(dir, 'docker-credential-box')
  const script = `#!/bin/sh
read -r input
case $1 in
  store) echo "$input" >"${dir}/box" ;;
  get) cat "${dir}/box" 2>&- || { echo 'credentials not found in native keychain'; exit 1; } ;;
  erase) rm "${dir}/box" ;;
esac
`
  await writeFile(helper, script, { mode: 0o755 })
  await mkdir(join(dir, 'real'))
  await writeFile(join(dir, 'real/config.json'), '{"credsStore":"box"}')
  await symlink('real/config.json', join(dir, 'config.json'))
  const env = { PATH: `${dir}:${process.env['PATH']}` }
  const name = `${guarded.host}/helped/app:1`
  await ok('tag', fixture.image, name)
  assert.equal((await raind(['push', name], '', env)).code, 1)
  const done = await raind(['login', '-u', login.username, '-p', login.password, guarded.host], '', env)
  assert.equal(done.code, 0, done.stderr)
  const kept = { ServerURL: guarded.host, Username: login.username, Secret: login.password }
  assert.deepEqual(JSON.parse(await readFile(join(dir, 'box'), 'utf8')), kept)
  assert.equal(await readFile(join(dir, 'config.json'), 'utf8'), '{"credsStore":"box"}')
  assert.equal((await raind(['push', name], '', env)).code, 0)
  assert.equal((await raind(['logout', guarded.host], '', env)).code, 0)
  assert.deepEqual((await readdir(dir)).includes('box'), false)
})

test('what is wrong is told', async () => {
  for (const [args, message] of [
    [['login', guarded.host], /--username and --password-stdin/],
    [['login', '-u', 'a', '-p', 'b', '--password-stdin'], /not both/],
    [['save', '--format', 'zip', 'x'], /oci or docker/],
    [['tag', 'x'], /wants 2 arguments/],
  ] as const) {
    const { code, stderr } = await raind(args)
    assert.equal(code, 125, stderr)
    assert.match(stderr, message)
  }
  await writeFile(join(dir, 'config.json'), '{"auths": {"a": "c2VjcmV0"')
  const broken = await raind(['pull', 'none'])
  assert.match(broken.stderr, /config\.json: it is not valid JSON/)
  assert.doesNotMatch(broken.stderr, /c2VjcmV0/)
})

test('the wire: bad input is a 4xx, before anything is sent or made', async () => {
  const { api } = fixture.daemon
  const auth = { username: 'a', password: 'b' }
  const rows: [Promise<{ status: number; text: string }>, number][] = [
    [api.get('/v1/images/save'), 400],
    [api.get('/v1/images/save?image=none'), 404],
    [api.get(`/v1/images/save?image=${fixture.image}&format=zip`), 400],
    [api.get('/v1/images/history?image=none'), 404],
    [api.get('/v1/images/inspect?image=Not%20A'), 400],
    [api.post('/v1/images/tag', { image: fixture.image }), 400],
    [api.post('/v1/images/tag', { image: fixture.image, target: 'Not A Name' }), 400],
    [api.post('/v1/images/prune', { all: 'yes' }), 400],
    [api.post('/v1/images/push', { image: 'none' }), 404],
    [api.post('/v1/images/push', { image: 'none' }, NDJSON), 404],
    [api.post('/v1/images/push', { image: fixture.image }, { 'x-registry-auth': 'not json' }), 400],
    [api.post('/v1/registries/login', { registry: guarded.host }), 400],
    [api.post('/v1/registries/login', { registry: guarded.host, auth: {} }), 400],
    [api.post('/v1/registries/login', { registry: 'not a host', auth }), 400],
    [api.post('/v1/registries/login', { registry: guarded.host, auth }), 401],
    [api.post('/v1/registries/login', { registry: '127.0.0.1:1', auth }), 503],
    [api.post('/v1/images/load', Buffer.from('no archive')), 400],
  ]
  for (const [index, [answer, status]] of rows.entries()) {
    const { status: actual, text: body } = await answer
    assert.equal(actual, status, `row ${index}: ${body}`)
    assert.equal(JSON.parse(body).status, 'fail')
  }
})

test('the images of a bottle are pulled first, with progress and the credentials of the user', async () => {
  const name = `${guarded.host}/team/bottled:1`
  const args = ['login', '-u', login.username, '--password-stdin', guarded.host]
  assert.equal((await raind(args, login.password)).code, 0)
  await ok('tag', fixture.image, name)
  await ok('push', name)
  await ok('rmi', name)
  const compose = (policy: string) =>
    JSON.stringify({
      name: 'shop',
      services: {
        guarded: { image: name, pull_policy: policy, command: ['sleep', '1000'], init: true },
        other: { image: fixture.image, command: ['sleep', '1000'], init: true },
      },
    })
  const up = (policy: string, ...more: string[]) => raind(['bottle', 'up', '-f', '-', ...more], compose(policy))

  const never = await up('never')
  assert.equal(never.code, 1)
  assert.match(never.stderr, /Service "guarded": No such image/)
  const first = await up('missing')
  assert.match(first.stderr, /^[0-9a-f]{12} {2}(done|exists)\n$/)
  assert.match(first.stdout, /container shop-guarded-1 started\n[\s\S]*shop is up\n$/)
  // The daemon itself has no credentials: it takes what the client has pulled.
  const again = await up('always')
  assert.deepEqual([again.code, again.stdout], [0, 'shop is up\n'])
  assert.equal((await up('always', '--quiet-pull')).stderr, '')
  const lines = (await up('always', '--json')).stdout.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).type),
    ['done'],
  )
  await rm(join(dir, 'config.json'))
  const stranger = await up('always')
  assert.equal(stranger.code, 1)
  assert.match(stranger.stderr, /raind login/)
  assert.equal(await ok('bottle', 'down', '--timeout', '0', 'shop'), 'bottle: shop removed\n')
})
