import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { hasCode, type StatusCode } from '../../src/lib/errors.ts'
import { finish, type ImageEngine, openImageEngine } from '../support/image-engine.ts'
import { ImageLayout, type TestImage } from '../support/image-layout.ts'

let root: string
let engine: ImageEngine

beforeEach(async () => {
  root = await mkdtemp('/var/tmp/condenser-images-')
  engine = await openImageEngine(root)
})

afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

const EMPTY = { images: [], pulls: [], layers: [], directories: [], blobs: [], ingests: [] }
const two: TestImage = {
  name: 'example.com/app:1',
  layers: [{ 'etc/base': 'base' }, { 'srv/app': 'app' }],
  config: { Cmd: ['/srv/app'], User: '1000' },
}

const load = (tar: AsyncIterable<Uint8Array>, name?: string) =>
  finish(engine.images.load(engine.ctx, tar, name === undefined ? {} : { name }))
const code = (wanted: StatusCode) => (error: unknown) => hasCode(error, wanted)

test('an OCI layout becomes an image with its layers unpacked', async () => {
  await using layout = await ImageLayout.make(two)
  const { images, items } = await load(layout.tar())
  assert.equal(images.length, 1)
  const [image] = images
  assert.equal(image!.metadata.name, 'example.com/app:1')
  assert.deepEqual(image!.spec.imageConfig.cmd, ['/srv/app'])
  assert.equal(items.at(-1)?.type, 'done')

  const [top, bottom] = engine.images.layerDirectories(image!.spec.chainIds)
  assert.equal(await readFile(join(engine.layersDir, top!, 'srv/app'), 'utf8'), 'app')
  assert.equal(await readFile(join(engine.layersDir, bottom!, 'etc/base'), 'utf8'), 'base')
  const { pulls, layers, blobs } = await engine.look()
  assert.deepEqual([pulls, layers, blobs.length], [[], ['1 ready', '2 ready'], 4])

  const status = engine.images.status('example.com/app:1')
  assert.equal(status.id, image!.spec.config.digest)
  assert.deepEqual(status.repoTags, ['example.com/app:1'])
  assert.deepEqual(status.repoDigests, [`example.com/app@${image!.spec.manifest.digest}`])
  assert.equal(status.user, '1000')
  assert.ok(engine.images.usage('example.com/app:1').usedBytes > 0)
})

test('an archive made by skopeo', async () => {
  await using layout = await ImageLayout.make(two)
  const file = `${layout.dir}.tar`
  const policy = join(root, 'policy.json')
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
  const copy = [
    '--policy',
    policy,
    'copy',
    `oci:${layout.dir}:example.com/app:1`,
    `oci-archive:${file}:example.com/made:2`,
  ]
  execFileSync('skopeo', copy, { stdio: 'pipe' })
  const { images } = await load(createReadStream(file))
  assert.equal(images[0]?.metadata.name, 'example.com/made:2')
})

test('the caller can name the image, and must if the archive does not', async () => {
  await using layout = await ImageLayout.make({ layers: two.layers })
  await assert.rejects(load(layout.tar()), /has no name/)
  assert.deepEqual(await engine.look(), EMPTY)
  const { images } = await load(layout.tar(), 'mine')
  assert.equal(images[0]?.metadata.name, 'docker.io/library/mine:latest')
  assert.throws(() => engine.images.load(engine.ctx, layout.tar(), { name: 'Not A Name' }), code('invalid_argument'))
})

test('several images of one archive share what they have in common', async () => {
  const other = { ...two, name: 'example.com/other:1', layers: [two.layers[0]!, { x: 'y' }] }
  await using layout = await ImageLayout.make(two, other)
  const { images } = await load(layout.tar())
  assert.equal(images.length, 2)
  assert.equal((await engine.look()).layers.length, 3)
  await assert.rejects(load(layout.tar(), 'one'), code('invalid_argument'))
})

test('of an index, the image for this platform is taken', async () => {
  const arm = { layers: [{ arch: 'arm64' }], architecture: 'arm64' }
  const amd = { layers: [{ arch: 'amd64' }], architecture: 'amd64' }
  await using layout = await ImageLayout.make({ name: 'multi', ...arm, variants: [amd] })
  const { images } = await load(layout.tar())
  const wanted = process.arch === 'arm64' ? 'arm64' : 'amd64'
  assert.equal(images[0]?.spec.platform.architecture, wanted)
  // What the archive has for others is not kept.
  await engine.images.collect(engine.ctx)
  assert.equal((await engine.look()).blobs.length, 4)
})

test('loading again changes nothing', async () => {
  await using layout = await ImageLayout.make(two)
  await load(layout.tar())
  const before = await engine.look()
  const { items } = await load(layout.tar())
  assert.deepEqual(await engine.look(), before)
  assert.deepEqual(
    items.flatMap((item) => (item.type === 'layer' && item.status !== 'waiting' ? [item.status] : [])),
    ['exists', 'exists'],
  )
})

test('a blob that is not what its name says leaves nothing', async () => {
  await using layout = await ImageLayout.make(two)
  const index = JSON.parse(await readFile(join(layout.dir, 'index.json'), 'utf8'))
  const manifest = JSON.parse(await readFile(layout.blob(index.manifests[0].digest), 'utf8'))
  await writeFile(layout.blob(manifest.layers[1].digest), 'something else')
  await assert.rejects(load(layout.tar()), code('invalid_argument'))
  assert.deepEqual(await engine.look(), EMPTY)
})

test('a layer that is not what the config says leaves nothing', async () => {
  await using layout = await ImageLayout.make({
    ...two,
    diffIds: [`sha256:${'0'.repeat(64)}`, `sha256:${'1'.repeat(64)}`],
  })
  await assert.rejects(load(layout.tar()), code('invalid_argument'))
  assert.deepEqual(await engine.look(), EMPTY)
})

test('a missing blob, a wrong count of layers and a stream that breaks leave nothing', async () => {
  await using layout = await ImageLayout.make(two)
  const index = JSON.parse(await readFile(join(layout.dir, 'index.json'), 'utf8'))
  const manifest = JSON.parse(await readFile(layout.blob(index.manifests[0].digest), 'utf8'))
  async function* broken() {
    yield* await Array.fromAsync(layout.tar()).then((chunks) => [Buffer.concat(chunks).subarray(0, 5000)])
    throw new Error('the client hung up')
  }
  await assert.rejects(load(broken()), /hung up/)
  await rm(layout.blob(manifest.layers[0].digest))
  await assert.rejects(load(layout.tar()), code('invalid_argument'))
  await using odd = await ImageLayout.make({ ...two, diffIds: [] })
  await assert.rejects(load(odd.tar()), /contradicts itself/)
  assert.deepEqual(await engine.look(), EMPTY)
})

test('what is no OCI layout is refused, with a hint where there is one', async () => {
  await using layout = await ImageLayout.make(two)
  await rm(join(layout.dir, 'index.json'))
  await assert.rejects(load(layout.tar()), code('invalid_argument'))
  await writeFile(join(layout.dir, 'manifest.json'), '[]')
  await assert.rejects(load(layout.tar()), (error) => hasCode(error, 'unimplemented') && /skopeo/.test(error.message))
  await assert.rejects(load(gzipped()), /may be compressed/)
  await assert.rejects(load(nothing()), code('invalid_argument'))
  assert.deepEqual(await engine.look(), EMPTY)
})

async function* gzipped() {
  yield Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(1000, 7)])
}

async function* nothing() {}
