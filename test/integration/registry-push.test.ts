import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import { hasCode, type StatusCode } from '../../src/lib/errors.ts'
import { finish, type ImageEngine, openImageEngine } from '../support/image-engine.ts'
import { layoutTar, type OciImage, ociImage, ociIndex } from '../support/oci-image.ts'
import { pushImage, startRegistry, type TestRegistry } from '../support/registry.ts'
import { type RegistryProxy, startRegistryProxy } from '../support/registry-proxy.ts'

const run = promisify(execFile)
const login = { username: 'ann', password: 'Open:sesame-1' }
let registry: TestRegistry
let guarded: TestRegistry
let proxy: RegistryProxy
let root: string
let engine: ImageEngine

before(async () => {
  registry = await startRegistry()
  guarded = await startRegistry({ tls: true, htpasswd: login })
  proxy = await startRegistryProxy(registry)
})
after(async () => {
  await proxy[Symbol.asyncDispose]()
  await guarded[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
})
beforeEach(async () => {
  root = await mkdtemp('/var/tmp/condenser-images-')
  engine = await openImageEngine(root, { registries: { [guarded.host]: { caFile: guarded.caFile! } } })
  proxy.reset()
})
afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

const random = (bytes: number) => [{ path: 'data', content: randomBytes(bytes) }]
const newImage = (options: { format?: 'oci' | 'docker' } = {}) =>
  ociImage({ layers: [random(3000), random(4000)], ...options })
const load = async (name: string, image: OciImage) =>
  await finish(engine.images.load(engine.ctx, Readable.from([layoutTar({ [name]: image })])))
const push = (name: string, auth?: typeof login) => finish(engine.images.push(engine.ctx, name, auth && { auth }))
const code = (wanted: StatusCode) => (error: unknown) => hasCode(error, wanted)
const statuses = ({ items }: Awaited<ReturnType<typeof push>>) =>
  items.flatMap((item) =>
    item.type === 'layer' && !['waiting', 'uploading'].includes(item.status) ? [item.status] : [],
  )

/** What the registry has under a name, byte for byte, as another program gets it. */
async function manifestAt(reference: string): Promise<Buffer> {
  const command = ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`]
  return (await run('skopeo', command, { encoding: 'buffer' })).stdout
}

for (const format of ['oci', 'docker'] as const) {
  test(`${format}: what was pulled is pushed elsewhere with the same manifest, and can be pulled from there`, async () => {
    const image = newImage({ format })
    await pushImage(registry, `source/${format}`, ociIndex([image], format))
    await finish(engine.images.pull(engine.ctx, `${registry.host}/source/${format}`))
    const target = `${proxy.host}/target/${format}:v1`
    await engine.images.tag(engine.ctx, `${registry.host}/source/${format}`, target)
    const pushed = await push(target)
    assert.deepEqual(statuses(pushed), ['done', 'done'])
    assert.equal(pushed.images[0]?.metadata.name, target)
    assert.deepEqual(await manifestAt(target), image.manifests.get(image.target.digest)!.bytes)
    await engine.images.remove(engine.ctx, target)
    await engine.images.remove(engine.ctx, `${registry.host}/source/${format}`)
    await engine.images.collect(engine.ctx)
    const { images } = await finish(engine.images.pull(engine.ctx, target))
    assert.deepEqual(images[0]?.spec.diffIds, image.diffIds)
  })
}

test('each blob is sent once, with one PUT, and what is there already is not', async () => {
  const name = `${proxy.host}/once/app:1`
  const image = ociImage({ layers: [random(3000), { content: Buffer.alloc(1024), compression: 'none' }] })
  await load(name, image)
  await push(name)
  const sent = () => proxy.requests.filter((line) => /^(PUT|PATCH|POST) .*\/blobs\//.test(line))
  assert.equal(sent().filter((line) => line.startsWith('PUT')).length, 3, 'two layers and the config')
  assert.equal(sent().filter((line) => line.startsWith('PATCH')).length, 0)
  proxy.requests.length = 0
  assert.deepEqual(statuses(await push(name)), ['exists', 'exists'])
  assert.deepEqual(sent(), [])
})

test('blobs that another repository of the registry has are mounted', async () => {
  const image = newImage()
  const [first, second] = [`${proxy.host}/mount/first:1`, `${proxy.host}/mount/second:1`]
  await load(first, image)
  await push(first)
  await engine.images.tag(engine.ctx, first, second)
  proxy.requests.length = 0
  assert.deepEqual(statuses(await push(second)), ['mounted', 'mounted'])
  assert.deepEqual(
    proxy.requests.filter((line) => /^(PUT|PATCH) .*\/blobs\//.test(line)),
    [],
  )
  assert.deepEqual(await manifestAt(second), image.manifests.get(image.target.digest)!.bytes)
  // A name that was given here but never pushed: there is nothing to mount from.
  const [never, third] = [`${proxy.host}/mount/never:1`, `${proxy.host}/mount/third:1`]
  await load(never, newImage())
  await engine.images.tag(engine.ctx, never, third)
  assert.deepEqual(statuses(await push(third)), ['done', 'done'])
})

test('an upload that breaks off goes on', async () => {
  const name = `${proxy.host}/broken/app:1`
  const image = ociImage({ layers: [random(3_000_000)] })
  await load(name, image)
  let cuts = 0
  proxy.cutUploadAfter = () => (cuts++ === 0 ? 1_000_000 : undefined)
  const { items } = await push(name)
  assert.ok(cuts > 1)
  assert.ok(items.some((item) => item.type === 'layer' && item.status === 'done'))
  assert.deepEqual(await manifestAt(name), image.manifests.get(image.target.digest)!.bytes)
})

test('an upload goes on from where the registry says it got to', async () => {
  const image = ociImage({ layers: [random(3_000_000)] })
  const layer = image.layers[0]!
  const bytes = image.blobs.get(layer.digest)!
  const seen: string[] = []
  let stored = Buffer.alloc(0)
  // The real registry forgets what a broken upload has brought; the specification does not want it to.
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const range = headers['content-range']
    const isLayer = url.includes('/upload/layer')
    seen.push(`${method}${isLayer ? ' layer' : ''}${range === undefined ? '' : ` ${range}`}`)
    const location = `/v2/app/blobs/upload/${seen.length === 2 || isLayer ? 'layer' : 'config'}?n=${seen.length}`
    if (method === 'HEAD') response.writeHead(404).end()
    else if (method === 'POST') response.writeHead(202, { location }).end()
    else if (method === 'GET') response.writeHead(204, { location, range: `0-${stored.length - 1}` }).end()
    else {
      for await (const chunk of request) {
        if (isLayer) stored = Buffer.concat([stored, chunk])
        if (isLayer && range === undefined && stored.length > 1_000_000 && stored.length < bytes.length) {
          request.socket.destroy()
          return
        }
      }
      response.writeHead(method === 'PATCH' ? 202 : 201, { location }).end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const name = `127.0.0.1:${(server.address() as AddressInfo).port}/app:1`
    await load(name, image)
    await push(name)
    assert.deepEqual(stored, bytes)
    const resumed = seen.find((line) => line.startsWith('PATCH'))
    assert.match(resumed ?? '', new RegExp(`^PATCH layer [1-9]\\d+-${bytes.length - 1}$`))
    assert.equal(seen.filter((line) => line === 'PUT layer').length, 2, 'the one that broke, and the one that closes')
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('a registry that cuts every upload is given up', async () => {
  const name = `${proxy.host}/hopeless/app:1`
  await load(name, ociImage({ layers: [random(100_000)] }))
  proxy.cutUploadAfter = () => 1000
  await assert.rejects(push(name), code('unavailable'))
})

test('with a login, and not without or with a wrong one', async () => {
  const name = `${guarded.host}/team/app:1`
  await load(name, newImage())
  await assert.rejects(push(name), (error) => hasCode(error, 'unauthenticated') && /raind login/.test(error.message))
  await assert.rejects(push(name, { ...login, password: 'wrong' }), code('unauthenticated'))
  assert.deepEqual(statuses(await push(name, login)), ['done', 'done'])
  await engine.images.checkLogin(engine.ctx, guarded.host, login)
  await assert.rejects(
    engine.images.checkLogin(engine.ctx, guarded.host, { ...login, password: 'wrong' }),
    code('unauthenticated'),
  )
  await engine.images.checkLogin(engine.ctx, registry.host, login)
})

test('what cannot be pushed', async () => {
  const image = newImage()
  await load('app', image)
  const id = image.config!.digest.slice('sha256:'.length)
  await finish(
    engine.images.load(engine.ctx, Readable.from([layoutTar({ x: image })]), { name: `x@${image.target.digest}` }),
  )
  assert.throws(() => engine.images.push(engine.ctx, 'none'), code('not_found'))
  for (const reference of [id, `x@${image.target.digest}`]) {
    assert.throws(() => engine.images.push(engine.ctx, reference), code('invalid_argument'), reference)
  }
  const nowhere = '127.0.0.1:1/app:1'
  await engine.images.tag(engine.ctx, 'app', nowhere)
  await assert.rejects(push(nowhere), code('unavailable'))
  const lost = `${registry.host}/lost/app:1`
  await engine.images.tag(engine.ctx, 'app', lost)
  await engine.content.remove(image.layers[0]!.digest)
  await assert.rejects(
    push(lost),
    (error) => hasCode(error, 'failed_precondition') && /was not kept/.test(error.message),
  )
})
