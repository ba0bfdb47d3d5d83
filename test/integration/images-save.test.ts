import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, test } from 'node:test'
import { hasCode, type StatusCode } from '../../src/lib/errors.ts'
import { finish, type ImageEngine, openImageEngine } from '../support/image-engine.ts'
import { layoutTar, type OciImage, ociImage, ociIndex } from '../support/oci-image.ts'

let root: string
let engine: ImageEngine

beforeEach(async () => {
  root = await mkdtemp('/var/tmp/condenser-images-')
  engine = await open('engine')
})

afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

const BASE = [{ path: 'etc/base', content: 'base' }]
const zstd = { content: [{ path: 'srv/app', content: 'app' }], compression: 'zstd' as const }
const app = ociImage({ layers: [BASE, zstd, BASE], config: { Cmd: ['/srv/app'] } })
const docker = ociImage({ layers: [BASE], format: 'docker' })
const FORMATS = ['oci', 'docker'] as const

async function open(name: string): Promise<ImageEngine> {
  await mkdir(join(root, name))
  return await openImageEngine(join(root, name))
}

const load = (images: Record<string, OciImage>) => loadFrom(engine, Readable.from([layoutTar(images)]))
const loadFrom = async (into: ImageEngine, stream: AsyncIterable<Uint8Array>) =>
  (await finish(into.images.load(into.ctx, stream))).images
const save = (names: readonly string[], format: 'oci' | 'docker' = 'oci') =>
  engine.images.save(engine.ctx, names, format)
const code = (wanted: StatusCode) => (error: unknown) => hasCode(error, wanted)

function skopeo(...args: string[]): string {
  return execFileSync('skopeo', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

for (const format of FORMATS) {
  test(`${format}: what is saved and loaded elsewhere has the same digests`, async () => {
    const loaded = await load({ 'app:1': app, 'example.com/app:2': app, old: docker })
    await using other = await open('other')
    const again = await loadFrom(other, save(['app:1', 'example.com/app:2', 'old'], format))
    assert.deepEqual(
      again.map(({ metadata, spec }) => [metadata.name, spec]),
      loaded.map(({ metadata, spec }) => [metadata.name, spec]),
    )
    const bytes = async () => Buffer.concat(await Array.fromAsync(save(['app:1'], format)))
    assert.deepEqual(await bytes(), await bytes(), 'the same image is the same archive')
  })

  test(`${format}: skopeo reads it`, async () => {
    await load({ 'example.com/app:1': app })
    const file = join(root, 'saved.tar')
    await pipeline(save(['example.com/app:1'], format), createWriteStream(file))
    const source = `${format}-archive:${file}`
    const inspected = JSON.parse(skopeo('inspect', '--config', source))
    assert.deepEqual([inspected.rootfs.diff_ids, inspected.config.Cmd], [app.diffIds, ['/srv/app']])
    const policy = join(root, 'policy.json')
    await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
    // Reads every blob, and verifies layers against their diffIds.
    skopeo('--policy', policy, 'copy', source, `dir:${join(root, 'copied')}`)
    if (format === 'oci') assert.equal(JSON.parse(skopeo('inspect', source)).Digest, app.target.digest)
  })
}

test('of an index the manifest of this platform is saved', async () => {
  const other = ociImage({ layers: [BASE], platform: { os: 'linux', architecture: 's390x' } })
  const index = ociIndex([other, app])
  await load({ multi: index })
  await using elsewhere = await open('other')
  const [image] = await loadFrom(elsewhere, save(['multi']))
  assert.deepEqual([image?.spec.manifest.digest, image?.spec.target.digest], [app.target.digest, app.target.digest])
  await finish(
    engine.images.load(engine.ctx, Readable.from([layoutTar({ x: app })]), { name: `x@${app.target.digest}` }),
  )
  const [named] = await loadFrom(elsewhere, save([`x@${app.target.digest}`]))
  assert.equal(named?.spec.reference, app.target.digest)
})

test('what is not here is said before the first byte', async () => {
  await load({ app })
  await assert.rejects(Array.fromAsync(save(['app', 'none'])), code('not_found'))
  await engine.content.remove(app.layers[1]!.digest)
  for (const format of FORMATS) {
    const items: unknown[] = []
    await assert.rejects(async () => {
      for await (const item of save(['app'], format)) items.push(item)
    }, /was not kept.*keepLayerBlobs/)
    assert.equal(items.length, 0)
  }
})

test('an image that is removed while it is saved is saved whole, and then gone', async () => {
  await load({ app })
  const stream = save(['app'])[Symbol.asyncIterator]()
  const chunks = [(await stream.next()).value!]
  await engine.images.remove(engine.ctx, 'app')
  await engine.images.collect(engine.ctx)
  for (let next = await stream.next(); !next.done; next = await stream.next()) chunks.push(next.value)
  await engine.images.collect(engine.ctx)
  assert.deepEqual((await engine.look()).blobs, [])
  const [image] = await loadFrom(engine, Readable.from(chunks))
  assert.equal(image?.spec.config.digest, app.config!.digest)
})

test('a reader who leaves lets go of what was kept for it', async () => {
  await load({ app })
  for await (const _ of save(['app'])) break
  await engine.images.remove(engine.ctx, 'app')
  assert.deepEqual((await engine.look()).blobs, [])
})
