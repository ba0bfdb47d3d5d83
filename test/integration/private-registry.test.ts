import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { type Daemon, type Home, makeHome, startDaemon } from '../support/daemon.ts'
import { assertNoLeak, observe, type World } from '../support/leak-check.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { ociImage } from '../support/oci-image.ts'
import { pushImage, startRegistry, type TestRegistry } from '../support/registry.ts'

runInOwnNamespaces(import.meta.filename)

type Auth = NonNullable<TestRegistry['auth']>

const NDJSON = { accept: 'application/x-ndjson' }
const FILED: Auth = { username: 'ann', password: 'Filed-secret-1' }
const GIVEN: Auth = { username: 'bob', password: 'Given:secret-2' }
const OUTDATED: Auth = { username: 'bob', password: 'Outdated-secret-3' }
const WRONG: Auth = { username: 'bob', password: 'Wrong-secret-4' }

const stack = new AsyncDisposableStack()
let home: Home
let daemon: Daemon
/** Whose login docker's config.json has. */
let filed: TestRegistry
/** Whose login comes with each call; config.json has one of an earlier time. */
let given: TestRegistry
/** Of an authority that the configuration does not name. */
let stranger: TestRegistry
let clean: World

before(async () => {
  filed = stack.use(await startRegistry({ tls: true, htpasswd: FILED }))
  given = stack.use(await startRegistry({ tls: true, htpasswd: GIVEN }))
  stranger = stack.use(await startRegistry({ tls: true }))
  for (const registry of [filed, given, stranger]) {
    // Of its own content, so that nothing is there from another's pull.
    await pushImage(registry, 'team/app', ociImage({ layers: [[{ path: 'from', content: registry.host }]] }))
  }
  home = stack.use(await makeHome())
  const dockerConfigFile = join(dirname(home.root), 'docker.json')
  const auths = { [filed.host]: { auth: base64(FILED) }, [given.host]: { auth: base64(OUTDATED) } }
  await writeFile(dockerConfigFile, JSON.stringify({ auths }))
  const registries = { [filed.host]: { caFile: filed.caFile }, [given.host]: { caFile: given.caFile } }
  // JSON is YAML.
  await writeFile(home.config, JSON.stringify({ cgroupParent: home.cgroupParent, dockerConfigFile, registries }))
  daemon = await startDaemon(home)
  stack.defer(() => daemon[Symbol.asyncDispose]())
  clean = await observe(home)
})
afterEach(async () => {
  for (const { repository, reference } of (await daemon.api.get('/v1/images')).json.data ?? []) {
    const removed = await daemon.api.delete('/v1/images', { image: `${repository}:${reference}` })
    assert.equal(removed.status, 200, removed.text)
  }
  assertNoSecretIsKept()
  await assertNoLeak(clean, home)
})
after(() => stack.disposeAsync())

const base64 = ({ username, password }: Auth) => Buffer.from(`${username}:${password}`).toString('base64')
const imageOf = ({ host }: TestRegistry) => `${host}/team/app:latest`
const repositories = async () =>
  ((await daemon.api.get('/v1/images')).json.data ?? []).map((image: { repository: string }) => image.repository)

/** Everything below the daemon's directories, names and content. */
function kept(): { readonly path: string; readonly content: string }[] {
  return [home.root, home.run].flatMap((directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      // What is written as a whole anew has another name until it is done.
      .filter((path) => !path.endsWith('.new'))
      .map((path) => ({ path, content: readFileSync(path, 'latin1') })),
  )
}

function assertNoSecretIsKept(): void {
  const secrets = [FILED, GIVEN, OUTDATED, WRONG].flatMap((auth) => [auth.password, base64(auth)])
  const files = kept()
  assert.ok(
    files.some(({ path, content }) => path.includes('condenser.db') && content.includes('/team/app')),
    'what is looked through tells of pulls',
  )
  for (const secret of secrets) {
    const holders = files.filter(({ content }) => content.includes(secret)).map(({ path }) => path)
    assert.deepEqual(holders, [], `${secret} is on the disk`)
    assert.ok(!daemon.log().includes(secret), `${secret} is in the log`)
  }
}

/** A pull that must fail, as one answer and with progress; nothing of it stays. */
async function refused(body: object, status: number, messages: readonly RegExp[], headers = {}): Promise<void> {
  // The second copy of the records is written in its own time.
  const files = () => kept().flatMap(({ path }) => (path.endsWith('.records') ? [] : [path]))
  const before = files()
  for (const accept of [{}, NDJSON]) {
    const answer = await daemon.api.post('/v1/images', body, { ...accept, ...headers })
    assert.equal(answer.status, status, answer.text)
    assert.equal(answer.json.status, 'fail')
    for (const message of messages) assert.match(answer.json.message, message)
    assert.deepEqual(await repositories(), [])
    assert.deepEqual(files(), before)
  }
}

test('pulls with the login that docker’s config.json has', async () => {
  const image = imageOf(filed)
  const pulled = await daemon.api.post('/v1/images', { image })
  assert.deepEqual(pulled.json.data, { image, os: '', arch: '' })
  assert.deepEqual(await repositories(), [`${filed.host}/team/app`])
  const layers = kept().filter(({ path }) => path.startsWith(join(home.root, 'l')) && path.endsWith('/from'))
  assert.deepEqual(
    layers.map(({ content }) => content),
    [filed.host],
  )
})

test('pulls with the login that comes with the call, before any that is filed, and keeps it for no other call', async () => {
  const image = imageOf(given)
  const header = Buffer.from(JSON.stringify(GIVEN)).toString('base64url')
  const ways: [object, Record<string, string>][] = [
    [{ auth: GIVEN }, {}],
    [{ auth: GIVEN }, NDJSON],
    [{}, { 'x-registry-auth': header }],
  ]
  for (const [body, headers] of ways) {
    const pulled = await daemon.api.post('/v1/images', { image, ...body }, headers)
    assert.equal(pulled.status, 200, pulled.text)
    assert.deepEqual(await repositories(), [`${given.host}/team/app`])
    await daemon.api.delete('/v1/images', { image })
    await refused({ image }, 401, [/user "bob": wrong name or password/])
  }
  const body = { image, command: ['/app'], name: 'private' }
  assert.equal((await daemon.api.post('/v1/containers', body)).status, 401)
  const created = await daemon.api.post('/v1/containers', { ...body, auth: GIVEN })
  assert.equal(created.status, 200, created.text)
  assert.ok(!(await daemon.api.get('/v1/containers/private/inspect')).text.includes(GIVEN.password))
  assert.equal((await daemon.api.delete('/v1/containers/private/actions/delete')).status, 200)
})

test('a wrong password is 401 and says what to do', async () => {
  const messages = [/does not accept the credentials of user "bob"/, /wrong name or password/, /correct/]
  await refused({ image: imageOf(given), auth: WRONG }, 401, messages)
  const header = Buffer.from(JSON.stringify(WRONG)).toString('base64')
  await refused({ image: imageOf(given) }, 401, messages, { 'x-registry-auth': header })
  // One that is here already is no way around it.
  await daemon.api.post('/v1/images', { image: imageOf(given), auth: GIVEN })
  assert.equal((await daemon.api.post('/v1/images', { image: imageOf(given), auth: WRONG })).status, 401)
})

test('an authority that is not trusted is an error that names caFile', async () => {
  await refused({ image: imageOf(stranger) }, 409, [
    new RegExp(stranger.host),
    /not signed by an authority/,
    /"caFile"/,
  ])
})

test('without a login the error says where one can be given', async () => {
  await daemon.stop()
  await writeFile(
    home.config,
    JSON.stringify({ cgroupParent: home.cgroupParent, registries: { [given.host]: { caFile: given.caFile } } }),
  )
  daemon = await startDaemon(home)
  await refused({ image: imageOf(given) }, 401, [/credentials are needed/, /"auth"/, /"dockerConfigFile"/])
})
