import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { hasCode } from '../../src/lib/errors.ts'
import { engineForEachTest, finish, type ImageEngine, NOTHING } from '../support/image-engine.ts'
import { digestOf, ociImage, writeLayout } from '../support/oci-image.ts'
import { type TarEntry, tar } from '../support/tar.ts'

let engine: ImageEngine
engineForEachTest((fresh) => {
  engine = fresh
})

const layers = [tar([{ path: 'etc/base', content: 'base' }]), tar([{ path: 'srv/app', content: 'app' }])]
const diffIds = layers.map(digestOf)
const configOf = (ids: readonly string[]) =>
  JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    config: { Cmd: ['/srv/app'] },
    rootfs: { type: 'layers', diff_ids: ids },
  })
const config = configOf(diffIds)
const file = (path: string, content: Uint8Array | string): TarEntry => ({ path, content })
const manifest = (...entries: unknown[]) => file('manifest.json', JSON.stringify(entries))
const entry = { Config: 'config.json', RepoTags: ['app:1'], Layers: ['a.tar', 'b.tar'] }
const whole = [file('a.tar', layers[0]!), file('b.tar', layers[1]!), file('config.json', config), manifest(entry)]

async function* stream(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  const bytes = tar(entries)
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
}

const load = async (entries: readonly TarEntry[], name?: string) =>
  (await finish(engine.images.load(engine.ctx, stream(entries), name === undefined ? {} : { name }))).images

async function assertRefused(entries: readonly TarEntry[], why: RegExp): Promise<void> {
  await assert.rejects(load(entries), (error) => hasCode(error, 'invalid_argument') && why.test(error.message))
  assert.deepEqual(await engine.look(), NOTHING)
}

test('what docker save wrote before version 25: directories of layers, one of them a link to another', async () => {
  const ids = ['1'.repeat(64), '2'.repeat(64), '3'.repeat(64)]
  const thrice = configOf([...diffIds, diffIds[0]!])
  const paths = ids.map((id) => `${id}/layer.tar`)
  const hex = digestOf(Buffer.from(thrice)).slice('sha256:'.length)
  const images = await load([
    ...ids.flatMap((id, index): TarEntry[] => [
      { path: `${id}/`, type: 'directory' },
      file(`${id}/VERSION`, '1.0'),
      file(`${id}/json`, '{}'),
      index === 2
        ? { path: paths[2]!, type: 'symlink', target: `../${ids[0]}/layer.tar` }
        : file(paths[index]!, layers[index]!),
    ]),
    file(`${hex}.json`, thrice),
    manifest({ Config: `${hex}.json`, RepoTags: ['app:1', 'example.com/app:2'], Layers: paths, LayerSources: {} }),
    file('repositories', '{"app":{"1":"x"}}'),
  ])
  assert.deepEqual(
    images.map(({ metadata }) => metadata.name),
    ['docker.io/library/app:1', 'example.com/app:2'],
  )
  const { spec } = images[0]!
  assert.equal(spec.config.digest, `sha256:${hex}`)
  assert.deepEqual(spec.diffIds, [...diffIds, diffIds[0]])
  assert.deepEqual(spec.imageConfig.cmd, ['/srv/app'])
  const [, middle] = engine.images.layerDirectories(spec.chainIds)
  assert.equal(await readFile(join(engine.layersDir, middle!, 'srv/app'), 'utf8'), 'app')
  await engine.images.collect(engine.ctx)
  assert.equal((await engine.look()).blobs.length, 4, 'a manifest, the config and two layers')
})

test('what skopeo writes, and again gives the same', async () => {
  const image = ociImage({ layers: [[{ path: 'one' }], [{ path: 'two' }]] })
  const archive = join(engine.root, 'made.tar')
  const policy = join(engine.root, 'policy.json')
  await writeLayout(join(engine.root, 'layout'), { app: image })
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
  const from = `oci:${join(engine.root, 'layout')}:app`
  execFileSync('skopeo', ['--policy', policy, 'copy', from, `docker-archive:${archive}:example.com/made:2`], {
    stdio: 'pipe',
  })
  const once = await finish(engine.images.load(engine.ctx, createReadStream(archive)))
  assert.deepEqual(once.images[0]?.spec.diffIds, image.diffIds)
  assert.equal(once.images[0]?.metadata.name, 'example.com/made:2')
  const held = await engine.look()
  const again = await finish(engine.images.load(engine.ctx, createReadStream(archive)))
  assert.deepEqual(again.images[0]?.spec, once.images[0]?.spec)
  assert.deepEqual(await engine.look(), held)
})

test('compressed layers, a manifest that comes first, and hard links', async () => {
  const images = await load([
    manifest({ ...entry, Config: digestOf(Buffer.from(config)), Layers: ['a.tar.gz', './linked.tar'] }),
    file(digestOf(Buffer.from(config)), config),
    file('a.tar.gz', gzipSync(layers[0]!)),
    file('x/b.tar', layers[1]!),
    { path: 'linked.tar', type: 'link', target: 'x/b.tar' },
  ])
  assert.deepEqual(images[0]?.spec.diffIds, diffIds)
  assert.deepEqual(
    images[0]?.spec.layers.map(({ mediaType }) => mediaType),
    ['application/vnd.oci.image.layer.v1.tar+gzip', 'application/vnd.oci.image.layer.v1.tar'],
  )
})

test('an archive without a name wants one', async () => {
  const nameless = whole.with(3, manifest({ ...entry, RepoTags: null }))
  await assertRefused(nameless, /has no name/)
  assert.equal((await load(nameless, 'mine:3'))[0]?.metadata.name, 'docker.io/library/mine:3')
})

test('content that is not what it claims to be leaves nothing', async () => {
  await assertRefused(whole.with(0, file('a.tar', layers[1]!)), /layer 1 of an image has the diffId/)
  await assertRefused(whole.with(1, file('b.tar', gzipSync(layers[0]!))), /layer 2 of an image has the diffId/)
  await assertRefused(whole.with(1, file('b.tar', Buffer.from('1f8b0000', 'hex'))), /cannot be decompressed/)
  await assertRefused(whole.with(2, file('config.json', configOf([diffIds[0]!]))), /contradicts itself/)
  await assertRefused(whole.with(2, file('config.json', 'no config')), /not JSON/)
  await assertRefused(whole.with(2, file('config.json', '{"rootfs":5}')), /rootfs/)
  await assertRefused(whole.toSpliced(0, 1), /lacks the file "a\.tar"/)
  for (const [bad, why] of [
    ['[]', /names no image/],
    ['{}', /names no image/],
    ['no', /not JSON/],
    ['[5]', /must be an object/],
    ['[{"Config":5}]', /must be a string/],
    [`[{"Config":"config.json","RepoTags":["Not A Name"],"Layers":["a.tar","b.tar"]}]`, /reference/],
  ] as const) {
    await assertRefused(whole.with(3, file('manifest.json', bad)), why)
  }
})

test('a layer that is here already is no way to smuggle another one in', async () => {
  await load(whole)
  const held = await engine.look()
  await assert.rejects(load(whole.with(0, file('a.tar', layers[1]!))), /has the diffId/)
  await engine.images.collect(engine.ctx)
  assert.deepEqual(await engine.look(), held)
})

test('paths and links that lead out of the archive lead nowhere', async () => {
  const secret = join(engine.root, 'secret.tar')
  await writeFile(secret, layers[0]!)
  for (const target of [secret, `../../..${secret}`, 'a.tar', 'loop']) {
    const links: TarEntry[] = [
      { path: 'a.tar', type: 'symlink', target },
      { path: 'loop', type: 'symlink', target: 'a.tar' },
    ]
    await assertRefused([...links, ...whole.slice(1)], /lacks the file "a\.tar"/)
  }
  await assertRefused(whole.with(3, manifest({ ...entry, Layers: [secret, 'b.tar'] })), /lacks the file/)
  await assertRefused([...whole, file('x'.repeat(5000), '')], /too long/)
  // Names that would be hostile as paths are only names.
  const odd = '../../../etc/a.tar'
  const images = await load([
    file(odd, layers[0]!),
    ...whole.slice(1, 3),
    manifest({ ...entry, Layers: [odd, 'b.tar'] }),
  ])
  assert.deepEqual(images[0]?.spec.diffIds, diffIds)
})
