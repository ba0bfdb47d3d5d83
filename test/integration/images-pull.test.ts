import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { PullOptions } from '../../src/images/index.ts'
import { hasCode, type StatusCode } from '../../src/lib/errors.ts'
import type { Image } from '../../src/model/image.ts'
import { finish, type ImageEngine, NOTHING, openImageEngine } from '../support/image-engine.ts'
import { type OciImage, ociImage, ociIndex } from '../support/oci-image.ts'
import { pushImage, startRegistry, type TestRegistry } from '../support/registry.ts'
import { type RegistryProxy, startRegistryProxy } from '../support/registry-proxy.ts'
import type { TarEntry } from '../support/tar.ts'

let registry: TestRegistry
let proxy: RegistryProxy
let root: string
let engine: ImageEngine
let images = 0

before(async () => {
  registry = await startRegistry()
  proxy = await startRegistryProxy(registry)
})

after(async () => {
  await proxy[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
})

beforeEach(async () => {
  root = await mkdtemp('/var/tmp/condenser-images-')
  engine = await openEngine()
  proxy.reset()
})

afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

const openEngine = () => openImageEngine(root, { registries: { [proxy.host]: { insecure: true } } })
const code = (wanted: StatusCode) => (error: unknown) => hasCode(error, wanted)

async function push(image: OciImage, name = `test/image${++images}`): Promise<string> {
  await pushImage(registry, name, image)
  return `${proxy.host}/${name}:latest`
}

async function pull(reference: string, options: PullOptions = {}): Promise<Image> {
  const { images } = await finish(engine.images.pull(engine.ctx, reference, options))
  assert.equal(images.length, 1)
  return images[0]!
}

/** Layers of random content, so that tests do not share them by accident. */
function layers(...sizes: number[]): TarEntry[][] {
  return sizes.map((size, index) => [{ path: `layer${index}`, content: randomBytes(size) }])
}

test('a cold pull, then the same again', async () => {
  const [bottom, top] = layers(100_000, 50_000)
  const reference = await push(ociImage({ layers: [bottom!, top!], config: { Entrypoint: ['/x'] } }))
  const { items, images } = await finish(engine.images.pull(engine.ctx, reference))
  const image = images[0]!
  assert.equal(items[0]?.type, 'resolved')
  assert.equal(items.at(-1)?.type, 'done')
  assert.equal(image.metadata.name, reference)
  const directories = engine.images.layerDirectories(image.spec.chainIds)
  assert.deepEqual(await readFile(join(engine.layersDir, directories[0]!, 'layer1')), top![0]!.content)
  assert.deepEqual(await readFile(join(engine.layersDir, directories[1]!, 'layer0')), bottom![0]!.content)
  const held = await engine.look()
  assert.equal(proxy.downloads(), 3)
  assert.equal(held.blobs.length, 4)

  assert.deepEqual(await pull(reference), image)
  assert.equal(proxy.downloads(), 3)
  assert.deepEqual(await engine.look(), held)
})

test('images share layers, and a blob that is missing is fetched again but not unpacked', async () => {
  const [base, one, two] = layers(10_000, 1000, 1000)
  const first = await pull(await push(ociImage({ layers: [base!, one!] })))
  const reference = await push(ociImage({ layers: [base!, two!] }))
  proxy.requests.length = 0
  const second = await pull(reference)
  assert.equal(second.spec.chainIds[0], first.spec.chainIds[0])
  assert.equal(proxy.downloads(), 2)
  assert.deepEqual((await engine.look()).layers, ['1 ready', '2 ready', '3 ready'])

  await engine.content.remove(second.spec.layers[1]!.digest)
  proxy.requests.length = 0
  await pull(reference)
  assert.equal(proxy.downloads(), 1)
  assert.deepEqual((await engine.look()).layers, ['1 ready', '2 ready', '3 ready'])
})

test('without the policy to keep them, compressed layers go when they are unpacked', async () => {
  const reference = await push(ociImage({ layers: layers(1000, 1000) }))
  await engine[Symbol.asyncDispose]()
  engine = await openImageEngine(root, {
    registries: { [proxy.host]: { insecure: true } },
    policy: { keepLayerBlobs: false },
  })
  await pull(reference)
  await engine.images[Symbol.asyncDispose]()
  assert.equal((await engine.look()).blobs.length, 2)
  await pull(reference)
  assert.equal(proxy.downloads(), 3)
})

test('pulls of one reference at a time are one pull', async () => {
  const reference = await push(ociImage({ layers: layers(300_000, 1000, 1000) }))
  const results = await Promise.all([1, 2, 3, 4, 5].map(() => finish(engine.images.pull(engine.ctx, reference))))
  assert.equal(proxy.downloads(), 4)
  for (const { items, images } of results) {
    assert.deepEqual(images, results[0]!.images)
    assert.equal(items.filter((item) => item.type === 'layer' && item.status === 'done').length, 3)
  }
})

test('pulls of different images at a time fetch and unpack what they share once', async () => {
  const [base, ...tops] = layers(500_000, 1000, 1000, 1000)
  const references = await Promise.all(tops.map((top) => push(ociImage({ layers: [base!, top] }))))
  proxy.requests.length = 0
  const pulled = await Promise.all(references.map((reference) => pull(reference)))
  assert.equal(proxy.downloads(pulled[0]!.spec.layers[0]!.digest), 1)
  const { layers: held, directories } = await engine.look()
  assert.deepEqual(held, ['1 ready', '2 ready', '3 ready', '4 ready'])
  assert.deepEqual(directories, ['1', '2', '3', '4'])
})

test('a listener that leaves does not stop the pull', async () => {
  const reference = await push(ociImage({ layers: layers(1000) }))
  for await (const _item of engine.images.pull(engine.ctx, reference)) break
  const gone = new AbortController()
  const listening = finish(engine.images.pull({ ...engine.ctx, signal: gone.signal }, reference))
  gone.abort()
  await assert.rejects(listening, code('cancelled'))
  await engine.images[Symbol.asyncDispose]()
  assert.deepEqual((await engine.look()).images, [reference])
})

test('a blob that is not what its digest says fails the pull and leaves nothing', async () => {
  const image = ociImage({ layers: layers(10_000, 10_000) })
  const reference = await push(image)
  for (const { digest, size } of [...image.layers, image.config!]) {
    proxy.forge = (asked) => (asked === digest ? randomBytes(size) : undefined)
    await assert.rejects(pull(reference), code('invalid_argument'))
    assert.deepEqual(await engine.look(), NOTHING)
  }
})

test('a layer that is not what the config says fails the pull, and leaves what others use', async () => {
  const [base, top] = layers(10_000, 1000)
  const good = await push(ociImage({ layers: [base!] }))
  const goodImage = await pull(good)
  const held = await engine.look()
  const rootfs = { type: 'layers', diff_ids: [goodImage.spec.diffIds[0]!, `sha256:${'0'.repeat(64)}`] }
  const bad = await push(ociImage({ layers: [base!, top!], document: { rootfs } }))
  await assert.rejects(pull(bad), code('invalid_argument'))
  assert.deepEqual(await engine.look(), held)
})

test('of two pulls that share a layer, the failure of one does not hurt the other', async () => {
  const [base, top] = layers(200_000, 1000)
  const good = await push(ociImage({ layers: [base!, top!] }))
  const badImage = ociImage({ layers: [base!, layers(2000)[0]!] })
  const bad = await push(badImage)
  const { digest, size } = badImage.layers[1]!
  proxy.forge = (asked) => (asked === digest ? randomBytes(size) : undefined)
  const [failed, succeeded] = await Promise.allSettled([pull(bad), pull(good)])
  assert.equal(failed.status, 'rejected')
  assert.equal(succeeded.status, 'fulfilled')
  const { images, pulls, layers: held } = await engine.look()
  assert.deepEqual([images, pulls, held.length], [[good], [], 2])
})

test('a connection that breaks is resumed within the pull, and by the next one', async () => {
  const image = ociImage({ layers: layers(5_000_000) })
  const reference = await push(image)
  const { digest, size } = image.layers[0]!
  proxy.cutAfter = (asked) => (asked === digest ? 2_500_000 : undefined)
  await pull(reference)
  assert.ok(proxy.requests.some((line) => line.includes(digest) && line.includes(' from ')))
  await engine.images.remove(engine.ctx, reference)

  proxy.cutAfter = (asked) => (asked === digest ? (proxy.downloads(digest) === 1 ? 3_000_000 : 0) : undefined)
  proxy.requests.length = 0
  await assert.rejects(pull(reference), code('unavailable'))
  const held = await engine.look()
  assert.deepEqual([held.pulls, held.ingests, held.layers], [[reference], [digest], []])

  proxy.cutAfter = () => undefined
  proxy.requests.length = 0
  await pull(reference)
  const from = Number(/ from (\d+)/.exec(proxy.requests.find((line) => line.includes(digest)) ?? '')?.[1])
  assert.ok(from > 1_000_000 && from < size, `resumed from ${from}`)
  assert.deepEqual((await engine.look()).ingests, [])
})

test('a pull that was broken off is forgotten when it is stale, not before', async () => {
  const reference = await push(ociImage({ layers: layers(5_000_000) }))
  proxy.cutAfter = () => 0
  await assert.rejects(pull(reference), code('unavailable'))
  await engine.images.collect(engine.ctx)
  assert.equal((await engine.look()).pulls.length, 1)
  await engine[Symbol.asyncDispose]()
  engine = await openImageEngine(root, { policy: { staleAfterMs: -1 } })
  await engine.images.recover(engine.ctx)
  assert.deepEqual(await engine.look(), NOTHING)
})

test('the image for the platform that is asked for', async () => {
  const variant = (architecture: string) =>
    ociImage({ layers: [[{ path: architecture }]], platform: { os: 'linux', architecture } })
  const reference = await push(ociIndex(['s390x', 'arm64', 'amd64'].map(variant)))
  assert.equal((await pull(reference, { platform: { architecture: 's390x' } })).spec.platform.architecture, 's390x')
  const own = await pull(reference)
  assert.equal(own.spec.platform.architecture, process.arch === 'arm64' ? 'arm64' : 'amd64')
  assert.notEqual(own.spec.target.digest, own.spec.manifest.digest)
  await assert.rejects(pull(reference, { platform: { architecture: 'riscv64' } }), code('not_found'))
  const single = await push(variant('s390x'))
  await assert.rejects(pull(single, { platform: { architecture: 'amd64' } }), code('not_found'))
})

test('a tag that has moved leaves its image without a tag, until it is pruned', async () => {
  const reference = await push(ociImage({ layers: layers(1000) }), 'test/moving')
  await pull(reference)
  await push(ociImage({ layers: layers(2000) }), 'test/moving')
  const { metadata } = engine.images.get(reference)
  await pull(reference)
  const old = engine.images.list({ untagged: true })
  assert.deepEqual(
    old.map(({ metadata: { name, uid }, spec }) => [name, uid, spec.reference]),
    [[reference.replace(/:latest$/, `@${old[0]!.spec.manifest.digest}`), metadata.uid, old[0]!.spec.manifest.digest]],
  )
  assert.equal((await engine.look()).blobs.length, 6)
  const pruned = await engine.images.prune(engine.ctx)
  assert.deepEqual(pruned.removed, [old[0]!.metadata.name])
  const { images, blobs, layers: held } = await engine.look()
  assert.deepEqual([images, held, blobs.length], [[reference], ['2 ready'], 3])

  await pull(reference.replace(/:latest$/, `@${engine.images.get(reference).spec.manifest.digest}`))
  await push(ociImage({ layers: layers(3000) }), 'test/moving')
  await pull(reference)
  assert.deepEqual(engine.images.list({ untagged: true }), [], 'it has another name: its digest')
})

test('an image that is not there, and a registry that is not there', async () => {
  await assert.rejects(pull(`${proxy.host}/test/none:1`), code('not_found'))
  await assert.rejects(pull('127.0.0.1:1/test/none:1'), code('unavailable'))
  assert.throws(() => engine.images.pull(engine.ctx, 'Not A Name'), code('invalid_argument'))
  assert.deepEqual(await engine.look(), NOTHING)
})

test('the end of the daemon ends a pull, which keeps what it had', async () => {
  const reference = await push(ociImage({ layers: layers(3_000_000, 1000) }))
  await engine[Symbol.asyncDispose]()
  const daemon = new AbortController()
  engine = await openImageEngine(root, {
    registries: { [proxy.host]: { insecure: true } },
    signal: daemon.signal,
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  let blobs = 0
  proxy.onBlob = () => {
    if (++blobs === 3) resolve()
  }
  const pulling = finish(engine.images.pull({ ...engine.ctx, signal: new AbortController().signal }, reference))
  await promise
  daemon.abort()
  await assert.rejects(pulling, code('cancelled'))
  await engine[Symbol.asyncDispose]()
  engine = await openEngine()
  await engine.images.recover(engine.ctx)
  assert.deepEqual((await engine.look()).pulls, [reference])
  await pull(reference)
})
