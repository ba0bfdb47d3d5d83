import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { hasCode, type StatusCode } from '../../src/lib/errors.ts'
import type { ContainerSpec } from '../../src/model/container.ts'
import { engineForEachTest, finish, type ImageEngine, NOTHING } from '../support/image-engine.ts'
import { digestOf, layoutTar, type OciImage, ociImage } from '../support/oci-image.ts'

let engine: ImageEngine
engineForEachTest((fresh) => {
  engine = fresh
})

const BASE = [{ path: 'base', content: 'x'.repeat(10_000) }]
const app = ociImage({ layers: [BASE, [{ path: 'app', content: 'app' }]] })
const other = ociImage({ layers: [[{ path: 'other', content: 'other' }]] })
const load = async (images: Record<string, OciImage>) =>
  (await finish(engine.images.load(engine.ctx, Readable.from([layoutTar(images)])))).images
const tag = (from: string, to: string) => engine.images.tag(engine.ctx, from, to)
const remove = (name: string) => engine.images.remove(engine.ctx, name)
const names = () => engine.images.list().map(({ metadata }) => metadata.name)
const code = (wanted: StatusCode) => (error: unknown) => hasCode(error, wanted)

function use(name: string): string {
  const { spec, metadata } = engine.images.get(name)
  const container = { image: metadata.name, imageId: spec.config.digest, chainIds: spec.chainIds } as ContainerSpec
  return engine.store.write((tx) => tx.create('Container', { name: 'c', spec: container, status: { restartCount: 0 } }))
    .metadata.uid
}

test('a further name is the same image, also when the first one is gone', async () => {
  const [image] = await load({ app })
  const tagged = await tag('app', 'example.com:5000/team/app:v1')
  assert.deepEqual(tagged.spec, { ...image!.spec, repository: 'example.com:5000/team/app', reference: 'v1' })
  assert.deepEqual(engine.images.status('app').repoTags, ['library/app:latest', 'example.com:5000/team/app:v1'])
  await remove('app')
  assert.equal(engine.images.layerDirectories(tagged.spec.chainIds).length, 2)
  await tag('example.com:5000/team/app:v1', 'example.com:5000/team/app:v1')
  await remove('example.com:5000/team/app:v1')
  assert.deepEqual(await engine.look(), NOTHING)
})

test('a name that moves leaves what it was without a tag, unless that has another name', async () => {
  await load({ app, 'app:keep': app, other })
  await tag('other', 'app')
  assert.equal(engine.images.get('app').spec.config.digest, other.config!.digest)
  assert.deepEqual(engine.images.list({ untagged: true }), [])
  const container = use('app:keep')
  await tag('other', 'app:keep')
  const untagged = `docker.io/library/app@${app.target.digest}`
  assert.deepEqual(names().sort(), [
    'docker.io/library/app:keep',
    'docker.io/library/app:latest',
    untagged,
    'docker.io/library/other:latest',
  ])
  assert.deepEqual(engine.images.status(untagged).repoTags, [])
  assert.deepEqual((await engine.images.prune(engine.ctx)).removed, [], 'a container uses it')
  engine.store.write((tx) => tx.delete('Container', container))
  assert.deepEqual((await engine.images.prune(engine.ctx, { labels: [{ key: 'x', negated: false }] })).removed, [])
  assert.deepEqual((await engine.images.prune(engine.ctx, { until: Date.now() - 60_000 })).removed, [])
  assert.deepEqual((await engine.images.prune(engine.ctx)).removed, [untagged])
  assert.equal((await engine.look()).layers.length, 1)
})

test('an image without a tag can be used by its id, and comes to have a tag again', async () => {
  await load({ app, other })
  await tag('other', 'app')
  const id = app.config!.digest.slice('sha256:'.length, 'sha256:'.length + 12)
  assert.equal(engine.images.get(id).spec.untagged, true)
  const tagged = await tag(id, 'again:1')
  assert.equal(tagged.spec.untagged, undefined)
  assert.deepEqual(engine.images.list({ untagged: true }), [], 'it has a name')
  await tag('other', 'again:1')
  assert.equal(engine.images.list({ untagged: true }).length, 1)
  await load({ app })
  assert.deepEqual(engine.images.list({ untagged: true }), [], 'it has come back, and with its tag gone to the other')
  await tag('other', 'app')
  await remove(id)
  assert.deepEqual(engine.images.list({ untagged: true }), [])
  assert.equal((await engine.look()).layers.length, 1)
})

test('images are listed by parts of their names, labels, and whether they have a tag', async () => {
  const labelled = ociImage({ layers: [BASE], document: { config: { Labels: { tier: 'back' } } } })
  await load({ app, 'example.com/team/app:1': app, 'example.com/team/db:1': labelled })
  const found = (filter: Parameters<typeof engine.images.list>[0]) =>
    engine.images
      .list(filter)
      .map(({ metadata }) => metadata.name)
      .sort()
  const [own, team, db] = ['docker.io/library/app:latest', 'example.com/team/app:1', 'example.com/team/db:1']
  for (const [reference, expected] of [
    ['app', [own]],
    ['app:*', [own]],
    ['library/app', [own]],
    [own, [own]],
    ['example.com/team/*', [team, db]],
    ['example.com/*/app:1', [team]],
    ['*', [own]],
    ['team/app', []],
  ] as const) {
    assert.deepEqual(found({ references: [reference] }), expected, reference)
  }
  assert.deepEqual(found({ labels: [{ key: 'tier', negated: false }] }), [db])
  assert.deepEqual(found({ untagged: false }), [own, team, db])
})

test('names that cannot be given', async () => {
  await load({ app })
  await assert.rejects(tag('none', 'x'), code('not_found'))
  await assert.rejects(tag('app', 'Not A Name'), code('invalid_argument'))
  await assert.rejects(tag('app', `x@${app.target.digest}`), code('invalid_argument'))
  await assert.rejects(tag('app', app.config!.digest.slice('sha256:'.length)), code('invalid_argument'))
  assert.deepEqual(names(), ['docker.io/library/app:latest'])
})

test('an image is found by its id, whole or the beginning of it', async () => {
  await load({ app, other })
  const hex = app.config!.digest.slice('sha256:'.length)
  for (const id of [hex, `sha256:${hex}`, hex.slice(0, 12)]) {
    assert.equal(engine.images.get(id).metadata.name, 'docker.io/library/app:latest', id)
  }
  for (const none of ['0'.repeat(12), '0'.repeat(64), hex.slice(0, 11)]) {
    assert.throws(() => engine.images.get(none), code('not_found'))
  }
  await tag(hex, 'app:2')
  await assert.rejects(remove(hex), (error) => hasCode(error, 'conflict') && /app:latest.*app:2/.test(error.message))
  await remove('app:2')
  await remove(hex)
  assert.deepEqual(names(), ['docker.io/library/other:latest'])
  await tag('other', hex.slice(0, 12))
  assert.equal(engine.images.get(hex.slice(0, 12)).spec.config.digest, other.config!.digest, 'a name comes first')
})

test('the history, newest first, and what it does not tell', async () => {
  const history = [
    { created: '2024-01-02T03:04:05Z', created_by: 'ADD base', comment: 'c', author: 'a' },
    { created_by: 'CMD x', empty_layer: true },
    { created_by: 'COPY app' },
  ]
  await load({ told: ociImage({ layers: [BASE, [{ path: 'app' }]], document: { history } }) })
  const told = await engine.images.history('told')
  assert.deepEqual(
    told.map(({ createdBy, layer }) => [createdBy, layer !== undefined]),
    [
      ['COPY app', true],
      ['CMD x', false],
      ['ADD base', true],
    ],
  )
  const first = told[2]!
  assert.deepEqual([first.createdAt, first.comment, first.author], [Date.UTC(2024, 0, 2, 3, 4, 5), 'c', 'a'])
  assert.ok(first.usedBytes >= 10_000 && told[1]!.usedBytes === 0)
  for (const untold of [undefined, [], [null, 5]]) {
    await load({ untold: ociImage({ layers: [BASE, BASE], document: { history: untold } }) })
    assert.deepEqual(
      (await engine.images.history('untold')).map(({ createdBy, layer }) => [createdBy, layer !== undefined]),
      [
        ['', true],
        ['', true],
      ],
    )
  }
})

test('prune takes what broken pulls have left, and with all the images that nothing uses', async () => {
  await load({ app, 'app:2': app, other })
  const leftover = Buffer.alloc(50_000, 'left')
  const digest = digestOf(leftover)
  engine.store.write((tx) =>
    tx.create('Pull', {
      name: 'broken',
      spec: { platform: { os: 'linux', architecture: 'amd64' } },
      status: { blobs: [digest], chainIds: [] },
    }),
  )
  // The collection that follows the load may have looked before there was this record.
  await new Promise(setImmediate)
  await engine.images.collect(engine.ctx)
  await engine.content.write(engine.ctx, leftover)
  await engine.images.collect(engine.ctx)
  assert.equal(await engine.content.has(digest), true, 'kept for the next try')
  assert.deepEqual(await engine.images.prune(engine.ctx), { removed: [], reclaimedBytes: 50_000 })
  assert.deepEqual(await engine.images.prune(engine.ctx), { removed: [], reclaimedBytes: 0 })
  assert.equal(names().length, 3)

  const { usedBytes } = engine.images.usage('other')
  const blobBytes = engine.images.status('other').sizeBytes + other.target.size
  const container = use('app:2')
  const pruned = await engine.images.prune(engine.ctx, { all: true })
  assert.deepEqual(pruned, { removed: ['docker.io/library/other:latest'], reclaimedBytes: usedBytes + blobBytes })
  assert.equal(names().length, 2, 'of an image in use all names stay')
  engine.store.write((tx) => tx.delete('Container', container))
  assert.equal((await engine.images.prune(engine.ctx, { all: true })).removed.length, 2)
  assert.deepEqual(await engine.look(), NOTHING)
})
