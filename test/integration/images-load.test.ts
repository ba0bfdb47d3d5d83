import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { hasCode, type StatusCode } from '../../src/lib/errors.ts'
import { engineForEachTest, finish, type ImageEngine, NOTHING } from '../support/image-engine.ts'
import { layoutFiles, type OciImage, ociImage, ociIndex, writeLayout } from '../support/oci-image.ts'
import { tar } from '../support/tar.ts'

let engine: ImageEngine
engineForEachTest((fresh) => {
  engine = fresh
})

const BASE = [{ path: 'etc/base', content: 'base' }]
const APP = [{ path: 'srv/app', content: 'app' }]
const two = ociImage({ layers: [BASE, APP], config: { Cmd: ['/srv/app'], User: '1000' } })

type Files = Map<string, Buffer>
const filesOf = (images: Readonly<Record<string, OciImage>>): Files => new Map(layoutFiles(images))
const blobOf = (digest: string) => `blobs/${digest.replace(':', '/')}`

async function* archive(files: Files, length = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  const bytes = tar([...files].map(([path, content]) => ({ path, content }))).subarray(0, length)
  for (let at = 0; at < bytes.length; at += 65_000) yield bytes.subarray(at, at + 65_000)
}

const load = (stream: AsyncIterable<Uint8Array>, name?: string) =>
  finish(engine.images.load(engine.ctx, stream, name === undefined ? {} : { name }))
const code = (wanted: StatusCode) => (error: unknown) => hasCode(error, wanted)

async function assertRefused(stream: AsyncIterable<Uint8Array>, why: RegExp): Promise<void> {
  await assert.rejects(load(stream), (error) => hasCode(error, 'invalid_argument') && why.test(error.message))
  assert.deepEqual(await engine.look(), NOTHING)
}

test('an OCI layout becomes an image with its layers unpacked', async () => {
  const { images, items } = await load(archive(filesOf({ 'example.com/app:1': two })))
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
  assert.equal(status.id, two.config!.digest)
  assert.deepEqual(status.repoTags, ['example.com/app:1'])
  assert.deepEqual(status.repoDigests, [`example.com/app@${two.target.digest}`])
  assert.equal(
    status.sizeBytes,
    [two.config!, ...two.layers].reduce((sum, { size }) => sum + size, 0),
  )
  assert.equal(status.user, '1000')
  assert.ok(engine.images.usage('example.com/app:1').usedBytes > 0)
})

test('an archive made by skopeo', async () => {
  const file = join(engine.root, 'made.tar')
  const policy = join(engine.root, 'policy.json')
  await writeLayout(join(engine.root, 'layout'), { 'example.com/app:1': two })
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
  const from = `oci:${join(engine.root, 'layout')}:example.com/app:1`
  execFileSync('skopeo', ['--policy', policy, 'copy', from, `oci-archive:${file}:example.com/made:2`], {
    stdio: 'pipe',
  })
  const { images } = await load(createReadStream(file))
  assert.equal(images[0]?.metadata.name, 'example.com/made:2')
  assert.equal(images[0]?.spec.config.digest, two.config!.digest)
})

test('the caller can name the image, and must if the archive does not', async () => {
  const files = filesOf({ any: two })
  const index = JSON.parse(files.get('index.json')!.toString())
  index.manifests[0].annotations = undefined
  files.set('index.json', Buffer.from(JSON.stringify(index)))
  await assertRefused(archive(files), /has no name/)
  const { images } = await load(archive(files), 'mine')
  assert.equal(images[0]?.metadata.name, 'docker.io/library/mine:latest')
  assert.throws(() => engine.images.load(engine.ctx, archive(files), { name: 'Not A Name' }), code('invalid_argument'))
})

test("the name that containerd and docker write wins over the spec's", async () => {
  const files = filesOf({ latest: two })
  const index = JSON.parse(files.get('index.json')!.toString())
  index.manifests[0].annotations['io.containerd.image.name'] = 'docker.io/library/app:latest'
  files.set('index.json', Buffer.from(JSON.stringify(index)))
  assert.equal((await load(archive(files))).images[0]?.metadata.name, 'docker.io/library/app:latest')
})

test('several images of one archive share what they have in common', async () => {
  const files = filesOf({ 'a:1': two, 'a:2': two, b: ociImage({ layers: [BASE, [{ path: 'x' }]] }) })
  const { images } = await load(archive(files))
  assert.equal(images.length, 3)
  assert.equal((await engine.look()).layers.length, 3)
  assert.deepEqual(engine.images.status('a:1').repoTags, ['library/a:1', 'library/a:2'])
  await assert.rejects(load(archive(files), 'one'), code('invalid_argument'))
})

test('of an index, the image for this platform is taken', async () => {
  const variant = (architecture: string) =>
    ociImage({ layers: [[{ path: architecture }]], platform: { os: 'linux', architecture } })
  const { images } = await load(archive(filesOf({ multi: ociIndex(['s390x', 'arm64', 'amd64'].map(variant)) })))
  assert.equal(images[0]?.spec.platform.architecture, process.arch === 'arm64' ? 'arm64' : 'amd64')
  // What the archive has for others is not kept.
  await engine.images.collect(engine.ctx)
  assert.equal((await engine.look()).blobs.length, 4)
})

test('500 layers are taken, 501 are not', async () => {
  // The same blob each time, but another chainId.
  const layers = Array.from({ length: 500 }, () => BASE)
  const { images } = await load(archive(filesOf({ deep: ociImage({ layers }) })))
  assert.equal(engine.images.layerDirectories(images[0]!.spec.chainIds).length, 500)
  await engine.images.remove(engine.ctx, 'deep')
  await assertRefused(archive(filesOf({ deeper: ociImage({ layers: [...layers, BASE] }) })), /at most 500/)
})

test('loading again changes nothing', async () => {
  const files = filesOf({ app: two })
  await load(archive(files))
  const before = await engine.look()
  const { items } = await load(archive(files))
  assert.deepEqual(await engine.look(), before)
  assert.deepEqual(
    items.flatMap((item) => (item.type === 'layer' && item.status !== 'waiting' ? [item.status] : [])),
    ['exists', 'exists'],
  )
})

test('content that is not what it claims to be leaves nothing', async () => {
  const files = filesOf({ app: two })
  const layer = blobOf(two.layers[1]!.digest)
  await assertRefused(archive(new Map([...files, [layer, Buffer.from('something else')]])), /is not what it should be/)
  await assertRefused(archive(new Map([...files].filter(([path]) => path !== layer))), /lacks the blob/)
  const wrong = (...diffIds: string[]) => ({ rootfs: { type: 'layers', diff_ids: diffIds } })
  const zeros = ociImage({ layers: [BASE], document: wrong(`sha256:${'0'.repeat(64)}`) })
  await assertRefused(archive(filesOf({ zeros })), /./)
  const none = ociImage({ layers: [BASE], document: wrong() })
  await assertRefused(archive(filesOf({ none })), /contradicts itself/)
})

test('of several images one of which is bad, none stays', async () => {
  const bad = ociImage({ layers: [APP], document: { rootfs: { type: 'layers', diff_ids: [] } } })
  await assertRefused(archive(filesOf({ good: two, bad })), /contradicts itself/)
})

test('a stream that ends or breaks early leaves nothing', async () => {
  const files = filesOf({ app: two })
  for (const length of [0, 300, 512, 1500, 3000]) await assertRefused(archive(files, length), /cut short|index\.json/)
  async function* broken() {
    yield* archive(files, 1500)
    throw new Error('the client hung up')
  }
  await assert.rejects(load(broken()), /hung up/)
  assert.deepEqual(await engine.look(), NOTHING)
})

test('hostile names and links are no way out', async () => {
  const evil = [
    { path: '../../../etc/evil', content: 'x' },
    { path: '/etc/evil', content: 'x' },
    { path: 'blobs', type: 'symlink' as const, target: '/etc' },
    { path: 'blobs/sha256/../../evil', content: 'x' },
  ]
  const files = [...filesOf({ app: two })].map(([path, content]) => ({ path, content }))
  async function* stream() {
    yield tar([...evil, ...files])
  }
  await load(stream())
  await engine.images.remove(engine.ctx, 'app')
  assert.deepEqual(await engine.look(), NOTHING)

  const link = { path: blobOf(two.layers[0]!.digest), type: 'symlink' as const, target: '/etc/passwd' }
  async function* linked() {
    yield tar([link, ...files])
  }
  await assertRefused(linked(), /not a regular file/)
})

test('what is no OCI layout is refused, with a hint where there is one', async () => {
  const files = filesOf({ app: two })
  await assertRefused(archive(new Map([...files].filter(([path]) => path !== 'index.json'))), /neither an index\.json/)
  await assertRefused(archive(new Map([...files].filter(([path]) => path !== 'oci-layout'))), /oci-layout/)
  await assertRefused(
    archive(new Map([...files, ['oci-layout', Buffer.from('{"imageLayoutVersion":"2"}')]])),
    /version/,
  )
  await assertRefused(
    archive(new Map([...files, ['index.json', Buffer.from('{"schemaVersion":2,"manifests":[]}')]])),
    /./,
  )
  async function* compressed() {
    yield Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(1000, 7)])
  }
  await assertRefused(compressed(), /[Dd]amaged gzip data/)
  await assertRefused(
    archive(new Map([['other.json', Buffer.from('[]')]])),
    /neither an index\.json .* nor a manifest\.json/,
  )
})

test('an archive that is compressed is decompressed', async () => {
  const plain = Buffer.concat(await Array.fromAsync(archive(filesOf({ app: two }))))
  for (const compress of [gzipSync, zstdCompressSync]) {
    const bytes = compress(plain)
    async function* stream() {
      for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3)
    }
    const { images } = await load(stream())
    assert.equal(images[0]?.spec.config.digest, two.config!.digest)
    await engine.images.remove(engine.ctx, 'app')
    assert.deepEqual(await engine.look(), NOTHING)
    async function* cut() {
      yield bytes.subarray(0, bytes.length / 2)
    }
    await assertRefused(cut(), /Damaged|cut short/)
  }
})

test('a name with a digest is taken only for the image that has it', async () => {
  const name = `app@${two.target.digest}`
  assert.equal((await load(archive(filesOf({ app: two })), name)).images[0]?.spec.reference, two.target.digest)
  await engine.images.remove(engine.ctx, name)
  await assert.rejects(load(archive(filesOf({ app: two })), `app@sha256:${'0'.repeat(64)}`), /names another image/)
  assert.deepEqual(await engine.look(), NOTHING)
})
