import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { hasCode } from '../../src/lib/errors.ts'
import type { ContainerSpec } from '../../src/model/container.ts'
import type { Image } from '../../src/model/image.ts'
import { finish, type ImageEngine, NOTHING, openImageEngine } from '../support/image-engine.ts'
import { layoutTar, type OciImage, ociImage } from '../support/oci-image.ts'
import { pushImage, startRegistry, type TestRegistry } from '../support/registry.ts'

let registry: TestRegistry
let root: string
let engine: ImageEngine

before(async () => {
  registry = await startRegistry()
})

after(() => registry[Symbol.asyncDispose]())

beforeEach(async () => {
  root = await mkdtemp('/var/tmp/condenser-images-')
  engine = await openImageEngine(root, { registries: { [registry.host]: { insecure: true } } })
})

afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

const content = () => ({ path: 'file', content: randomBytes(5000) })
const app = ociImage({ layers: [[content()], [content()]] })

async function load(images: Record<string, OciImage>): Promise<Image[]> {
  const bytes = layoutTar(images)
  const { images: loaded } = await finish(
    engine.images.load(
      engine.ctx,
      (async function* () {
        yield bytes
      })(),
    ),
  )
  return loaded
}

function createContainer(name: string, image: Image): string {
  const { spec, metadata } = image
  const container = { image: metadata.name, imageId: spec.config.digest, chainIds: spec.chainIds } as ContainerSpec
  return engine.store.write((tx) => tx.create('Container', { name, spec: container, status: { restartCount: 0 } }))
    .metadata.uid
}

const removeContainer = (uid: string) => engine.store.write((tx) => tx.delete('Container', uid))
const inUse =
  (...names: string[]) =>
  (error: unknown) =>
    hasCode(error, 'conflict') && names.every((name) => error.message.includes(`"${name}"`))

test('an image that containers use is not removed; the message names them', async () => {
  const [image] = await load({ app })
  const containers = [createContainer('web', image!), createContainer('db', image!)]
  await assert.rejects(engine.images.remove(engine.ctx, 'app'), inUse('web', 'db'))
  assert.equal((await engine.look()).images.length, 1)
  containers.forEach(removeContainer)
  await engine.images.remove(engine.ctx, 'app')
  assert.deepEqual(await engine.look(), NOTHING)
  await assert.rejects(engine.images.remove(engine.ctx, 'app'), (error) => hasCode(error, 'not_found'))
})

test('a further name of an image in use may go, the one that a container has and the last one may not', async () => {
  const [, , old] = await load({ 'app:1': app, 'app:2': app, 'app:old': app })
  const container = createContainer('web', old!)
  await assert.rejects(engine.images.remove(engine.ctx, 'app:old'), inUse('web'))
  const held = await engine.look()
  await engine.images.remove(engine.ctx, 'app:1')
  await engine.images.remove(engine.ctx, 'app:2')
  assert.deepEqual(await engine.look(), { ...held, images: ['docker.io/library/app:old'] })
  await assert.rejects(engine.images.remove(engine.ctx, 'app:old'), inUse('web'))
  removeContainer(container)
})

test('the layers of a container stay when its tag has moved on', async () => {
  const [image] = await load({ app })
  const container = createContainer('web', image!)
  await load({ app: ociImage({ layers: [[content()]] }) })
  assert.deepEqual((await engine.images.prune(engine.ctx)).removed, [], 'in use')
  await engine.images.remove(engine.ctx, 'app')
  await load({ app: ociImage({ layers: [[content()]] }) })
  await engine.images.collect(engine.ctx)
  assert.equal((await engine.look()).layers.length, 3)
  for (const directory of engine.images.layerDirectories(image!.spec.chainIds)) {
    await access(join(engine.layersDir, directory))
  }
  removeContainer(container)
  assert.equal((await engine.images.prune(engine.ctx)).removed.length, 1)
  assert.equal((await engine.look()).layers.length, 1)
})

test('what is leased is not collected', async () => {
  await load({ app })
  {
    using lease = engine.images.lease('app')
    await engine.images.remove(engine.ctx, 'app')
    await engine.images.collect(engine.ctx)
    assert.equal(engine.images.layerDirectories(lease.image.spec.chainIds).length, 2)
    assert.equal((await engine.look()).directories.length, 2)
  }
  await engine.images.collect(engine.ctx)
  assert.deepEqual(await engine.look(), NOTHING)
})

test('collecting, pulling and removing at the same time do not hurt each other', async () => {
  const base = [content()]
  const pushed = await Promise.all(
    [1, 2, 3, 4].map(async (index) => {
      await pushImage(registry, `race/app${index}`, ociImage({ layers: [base, [content()], [content()]] }))
      return `${registry.host}/race/app${index}:latest`
    }),
  )
  const churn = pushed.map(async (reference, index) => {
    for (let round = 0; round < 6; round++) {
      const { images } = await finish(engine.images.pull(engine.ctx, reference))
      for (const directory of engine.images.layerDirectories(images[0]!.spec.chainIds)) {
        await access(join(engine.layersDir, directory, 'file'))
      }
      if (index > 0) await engine.images.remove(engine.ctx, reference)
    }
  })
  let running = true
  const collecting = (async () => {
    while (running) await engine.images.collect(engine.ctx)
  })()
  await Promise.all(churn).finally(() => {
    running = false
  })
  await collecting
  await engine.images[Symbol.asyncDispose]()
  await engine.images.collect(engine.ctx)
  const { images, layers, directories, blobs, pulls } = await engine.look()
  assert.deepEqual([images, pulls, layers.length, directories.length, blobs.length], [[pushed[0]], [], 3, 3, 5])
})
