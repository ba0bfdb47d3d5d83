import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hasCode } from '../../src/lib/errors.ts'
import { finish, openImageEngine } from '../support/image-engine.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { ociImage } from '../support/oci-image.ts'
import { pushImage, startRegistry } from '../support/registry.ts'
import { startRegistryProxy } from '../support/registry-proxy.ts'

runInOwnNamespaces(fileURLToPath(import.meta.url))

const MIB = 1024 * 1024

async function fullDisk(
  resources: AsyncDisposableStack,
  size: number,
): Promise<{ root: string; resize(to: number): void }> {
  const root = await mkdtemp('/var/tmp/condenser-full-')
  resources.defer(() => rm(root, { recursive: true }))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', root])
  resources.defer(() => void execFileSync('umount', [root]))
  return { root, resize: (to) => void execFileSync('mount', ['-o', `remount,size=${to}`, root]) }
}

const noSpace = (error: unknown) => hasCode(error, 'resource_exhausted')

for (const reserve of [undefined, { share: 0, bytes: 0 }]) {
  const how = reserve === undefined ? 'is nearly full' : 'fills up to the last byte'
  test(`a pull that ends because the disk ${how} goes on from there when there is room`, async () => {
    await using resources = new AsyncDisposableStack()
    const registry = resources.use(await startRegistry())
    const proxy = resources.use(await startRegistryProxy(registry))
    // The blobs fit, the layers do not.
    const layers = [3, 3].map((size, index) => [{ path: `layer${index}`, content: randomBytes(size * MIB) }])
    const image = ociImage({ layers })
    await pushImage(registry, 'test/large', image)
    const reference = `${proxy.host}/test/large:latest`
    const { root, resize } = await fullDisk(resources, 10 * MIB)
    const engine = resources.use(
      await openImageEngine(root, {
        registries: { [proxy.host]: { insecure: true } },
        ...(reserve === undefined ? {} : { policy: { reserve } }),
      }),
    )
    await assert.rejects(finish(engine.images.pull(engine.ctx, reference)), noSpace)
    const held = await engine.look()
    assert.deepEqual([held.images, held.pulls], [[], [reference]])
    assert.deepEqual(
      held.layers,
      held.directories.map((directory) => `${directory} ready`),
    )
    const inHand = held.blobs.filter((digest) => image.blobs.has(digest)).length
    assert.ok(inHand > 1)

    resize(64 * MIB)
    proxy.requests.length = 0
    await finish(engine.images.pull(engine.ctx, reference))
    assert.equal(proxy.downloads(), image.blobs.size - inHand)
    const { images, pulls, layers: ready } = await engine.look()
    assert.deepEqual([images, pulls, ready.length], [[reference], [], 2])
  })
}

test('a layer that unpacks to more than there is room for ends in an error, with room left for others', async () => {
  await using resources = new AsyncDisposableStack()
  const registry = resources.use(await startRegistry())
  const image = ociImage({ layers: [[{ path: 'zeros', content: Buffer.alloc(100 * MIB) }]] })
  await pushImage(registry, 'test/bomb', image)
  const { root } = await fullDisk(resources, 20 * MIB)
  const engine = resources.use(await openImageEngine(root, { registries: { [registry.host]: { insecure: true } } }))
  await assert.rejects(finish(engine.images.pull(engine.ctx, `${registry.host}/test/bomb:latest`)), noSpace)
  assert.deepEqual((await engine.look()).directories, [])
})

test('a blob that cannot fit is not begun', async () => {
  await using resources = new AsyncDisposableStack()
  const registry = resources.use(await startRegistry())
  const image = ociImage({
    layers: [{ content: [{ path: 'large', content: randomBytes(8 * MIB) }], compression: 'none' }],
  })
  await pushImage(registry, 'test/large', image)
  const { root } = await fullDisk(resources, 4 * MIB)
  const engine = resources.use(await openImageEngine(root, { registries: { [registry.host]: { insecure: true } } }))
  await assert.rejects(finish(engine.images.pull(engine.ctx, `${registry.host}/test/large:latest`)), noSpace)
  assert.deepEqual((await engine.look()).ingests, [])
})
