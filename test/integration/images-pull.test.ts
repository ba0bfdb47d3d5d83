import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { PullOptions } from '../../src/images/index.ts'
import { hasCode, type StatusCode } from '../../src/lib/errors.ts'
import type { Image } from '../../src/model/image.ts'
import { finish, type ImageEngine, openImageEngine } from '../support/image-engine.ts'
import { ImageLayout, type TestImage } from '../support/image-layout.ts'
import { ImageRegistry } from '../support/image-registry.ts'

let registry: ImageRegistry
let root: string
let engine: ImageEngine
let images = 0

before(async () => {
  registry = await ImageRegistry.start()
})

after(() => registry[Symbol.asyncDispose]())

beforeEach(async () => {
  root = await mkdtemp('/var/tmp/condenser-images-')
  engine = await openEngine()
  registry.requests.length = 0
  registry.cutAfter = () => undefined
  registry.hold = () => undefined
})

afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

const EMPTY = { images: [], pulls: [], layers: [], directories: [], blobs: [], ingests: [] }
const openEngine = () => openImageEngine(root, { registries: { [registry.host]: { insecure: true } } })
const code = (wanted: StatusCode) => (error: unknown) => hasCode(error, wanted)

async function push(image: TestImage, name = `test/image${++images}:1`): Promise<string> {
  await using layout = await ImageLayout.make(image)
  return await registry.push(layout, name)
}

async function pull(reference: string, options: PullOptions = {}): Promise<Image> {
  const { images } = await finish(engine.images.pull(engine.ctx, reference, options))
  assert.equal(images.length, 1)
  return images[0]!
}

/** Layers of random content, so that tests do not share them by accident. */
function layers(...sizes: number[]) {
  return sizes.map((size, index) => ({ [`layer${index}`]: randomBytes(size) }))
}

test('a cold pull, then the same again', async () => {
  const [bottom, top] = layers(100_000, 50_000)
  const reference = await push({ layers: [bottom!, top!], config: { Entrypoint: ['/x'] } })
  const { items, images } = await finish(engine.images.pull(engine.ctx, reference))
  const image = images[0]!
  assert.equal(items[0]?.type, 'resolved')
  assert.equal(items.at(-1)?.type, 'done')
  assert.equal(image.metadata.name, reference)
  const directories = engine.images.layerDirectories(image.spec.chainIds)
  assert.deepEqual(await readFile(join(engine.layersDir, directories[0]!, 'layer1')), top!['layer1'])
  assert.deepEqual(await readFile(join(engine.layersDir, directories[1]!, 'layer0')), bottom!['layer0'])
  const held = await engine.look()
  assert.equal(registry.downloads(), 3)
  assert.equal(held.blobs.length, 4)

  assert.deepEqual(await pull(reference), image)
  assert.equal(registry.downloads(), 3)
  assert.deepEqual(await engine.look(), held)
})

test('images share layers, and a blob that is missing is fetched again but not unpacked', async () => {
  const [base, one, two] = layers(10_000, 1000, 1000)
  const first = await pull(await push({ layers: [base!, one!] }))
  const reference = await push({ layers: [base!, two!] })
  registry.requests.length = 0
  const second = await pull(reference)
  assert.equal(second.spec.chainIds[0], first.spec.chainIds[0])
  assert.equal(registry.downloads(), 2)
  assert.deepEqual((await engine.look()).layers, ['1 ready', '2 ready', '3 ready'])

  await engine.content.remove(second.spec.layers[1]!.digest)
  registry.requests.length = 0
  await pull(reference)
  assert.equal(registry.downloads(), 1)
  assert.deepEqual((await engine.look()).layers, ['1 ready', '2 ready', '3 ready'])
})

test('without the policy to keep them, compressed layers go when they are unpacked', async () => {
  const reference = await push({ layers: layers(1000, 1000) })
  await engine[Symbol.asyncDispose]()
  engine = await openImageEngine(root, {
    registries: { [registry.host]: { insecure: true } },
    policy: { keepLayerBlobs: false },
  })
  await pull(reference)
  await engine.images[Symbol.asyncDispose]()
  assert.equal((await engine.look()).blobs.length, 2)
  await pull(reference)
  assert.equal(registry.downloads(), 3)
})

test('pulls of one reference at a time are one pull', async () => {
  const reference = await push({ layers: layers(300_000, 1000, 1000) })
  const results = await Promise.all([1, 2, 3, 4, 5].map(() => finish(engine.images.pull(engine.ctx, reference))))
  assert.equal(registry.downloads(), 4)
  for (const { items, images } of results) {
    assert.deepEqual(images, results[0]!.images)
    assert.equal(items.filter((item) => item.type === 'layer' && item.status === 'done').length, 3)
  }
})

test('pulls of different images at a time fetch and unpack what they share once', async () => {
  const [base, ...tops] = layers(500_000, 1000, 1000, 1000)
  const references = await Promise.all(tops.map((top) => push({ layers: [base!, top] })))
  registry.requests.length = 0
  const pulled = await Promise.all(references.map((reference) => pull(reference)))
  assert.equal(registry.downloads(pulled[0]!.spec.layers[0]!.digest), 1)
  const { layers: held, directories } = await engine.look()
  assert.deepEqual(held, ['1 ready', '2 ready', '3 ready', '4 ready'])
  assert.deepEqual(directories, ['1', '2', '3', '4'])
})

test('a listener that leaves does not stop the pull', async () => {
  const reference = await push({ layers: layers(1000) })
  for await (const _item of engine.images.pull(engine.ctx, reference)) break
  const gone = new AbortController()
  const listening = finish(engine.images.pull({ ...engine.ctx, signal: gone.signal }, reference))
  gone.abort()
  await assert.rejects(listening, code('cancelled'))
  await engine.images[Symbol.asyncDispose]()
  assert.deepEqual((await engine.look()).images, [reference])
})

test('a layer that is not what its digest says fails the pull and leaves nothing', async () => {
  const reference = await push({ layers: layers(10_000, 10_000) })
  const { spec } = await pull(reference)
  await engine.images.remove(engine.ctx, reference)
  assert.deepEqual(await engine.look(), EMPTY)

  const file = registry.blobFile(spec.layers[1]!.digest)
  await writeFile(file, randomBytes(spec.layers[1]!.size))
  await assert.rejects(pull(reference), code('invalid_argument'))
  assert.deepEqual(await engine.look(), EMPTY)
})

test('a layer that is not what the config says fails the pull, and leaves what others use', async () => {
  const [base, top] = layers(10_000, 1000)
  const good = await push({ layers: [base!] })
  const goodImage = await pull(good)
  const held = await engine.look()
  const bad = await push({ layers: [base!, top!], diffIds: [goodImage.spec.diffIds[0]!, `sha256:${'0'.repeat(64)}`] })
  await assert.rejects(pull(bad), code('invalid_argument'))
  assert.deepEqual(await engine.look(), held)
})

test('of two pulls that share a layer, the failure of one does not hurt the other', async () => {
  const [base, top] = layers(200_000, 1000)
  const good = await push({ layers: [base!, top!] })
  await using layout = await ImageLayout.make({ layers: [base!, { bad: 'x' }] })
  const bad = await registry.push(layout, 'test/bad:1')
  const { spec } = await pull(bad)
  await engine.images.remove(engine.ctx, bad)
  await writeFile(registry.blobFile(spec.layers[1]!.digest), randomBytes(spec.layers[1]!.size))
  const [failed, succeeded] = await Promise.allSettled([pull(bad), pull(good)])
  assert.equal(failed.status, 'rejected')
  assert.equal(succeeded.status, 'fulfilled')
  const { images, pulls, layers: held } = await engine.look()
  assert.deepEqual([images, pulls, held.length], [[good], [], 2])
})

test('a connection that breaks is resumed within the pull, and by the next one', async () => {
  const reference = await push({ layers: layers(5_000_000) })
  const { spec } = await pull(reference)
  await engine.images.remove(engine.ctx, reference)
  const { digest, size } = spec.layers[0]!
  const cutLayers = (bytes: number) => (asked: string) => (asked === digest ? bytes : undefined)

  registry.requests.length = 0
  registry.cutAfter = cutLayers(2_500_000)
  await pull(reference)
  assert.ok(registry.requests.some((line) => line.includes(digest) && line.includes(' from ')))
  await engine.images.remove(engine.ctx, reference)

  registry.cutAfter = (asked) => (asked === digest ? (registry.downloads(digest) === 1 ? 3_000_000 : 0) : undefined)
  registry.requests.length = 0
  await assert.rejects(pull(reference), code('unavailable'))
  const held = await engine.look()
  assert.deepEqual([held.pulls, held.ingests, held.layers], [[reference], [digest], []])

  registry.cutAfter = () => undefined
  registry.requests.length = 0
  await pull(reference)
  const from = Number(/ from (\d+)/.exec(registry.requests.find((line) => line.includes(digest)) ?? '')?.[1])
  assert.ok(from > 1_000_000 && from < size, `resumed from ${from}`)
  assert.deepEqual((await engine.look()).ingests, [])
})

test('a pull that was broken off is forgotten when it is stale, not before', async () => {
  const reference = await push({ layers: layers(5_000_000) })
  registry.cutAfter = () => 0
  await assert.rejects(pull(reference), code('unavailable'))
  await engine.images.collect(engine.ctx)
  assert.equal((await engine.look()).pulls.length, 1)
  await engine[Symbol.asyncDispose]()
  engine = await openImageEngine(root, { policy: { staleAfterMs: -1 } })
  await engine.images.recover(engine.ctx)
  assert.deepEqual(await engine.look(), EMPTY)
})

test('the image for the platform that is asked for', async () => {
  const variant = (architecture: string) => ({ layers: [{ architecture }], architecture })
  const reference = await push({ ...variant('amd64'), variants: [variant('arm64'), variant('s390x')] })
  assert.equal((await pull(reference, { platform: { architecture: 's390x' } })).spec.platform.architecture, 's390x')
  const own = await pull(reference)
  assert.equal(own.spec.platform.architecture, process.arch === 'arm64' ? 'arm64' : 'amd64')
  assert.notEqual(own.spec.target.digest, own.spec.manifest.digest)
  await assert.rejects(pull(reference, { platform: { architecture: 'riscv64' } }), code('not_found'))
  const single = await push(variant('s390x'))
  await assert.rejects(pull(single, { platform: { architecture: 'amd64' } }), code('not_found'))
})

test('a tag that has moved leaves nothing of where it was', async () => {
  const reference = await push({ layers: layers(1000) }, 'test/moving:1')
  await pull(reference)
  await push({ layers: layers(2000) }, 'test/moving:1')
  await pull(reference)
  await engine.images[Symbol.asyncDispose]()
  const { images, blobs, layers: held } = await engine.look()
  assert.deepEqual([images, held, blobs.length], [[reference], ['2 ready'], 3])
})

test('an image that is not there, and a registry that is not there', async () => {
  await assert.rejects(pull(`${registry.host}/test/none:1`), code('not_found'))
  await assert.rejects(pull('127.0.0.1:1/test/none:1'), code('unavailable'))
  assert.throws(() => engine.images.pull(engine.ctx, 'Not A Name'), code('invalid_argument'))
  assert.deepEqual(await engine.look(), EMPTY)
})

test('the end of the daemon ends a pull, which keeps what it had', async () => {
  const reference = await push({ layers: layers(3_000_000, 1000) })
  await engine[Symbol.asyncDispose]()
  const daemon = new AbortController()
  engine = await openImageEngine(root, {
    registries: { [registry.host]: { insecure: true } },
    signal: daemon.signal,
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  let blobs = 0
  registry.hold = () => {
    if (++blobs === 3) resolve()
    return undefined
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
