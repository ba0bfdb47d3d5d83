import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { finish, type Holdings, NOTHING, openImageEngine } from '../support/image-engine.ts'
import { type OciImage, ociImage } from '../support/oci-image.ts'
import { pushImage, startRegistry, type TestRegistry } from '../support/registry.ts'
import { type RegistryProxy, startRegistryProxy } from '../support/registry-proxy.ts'

const CHILD = fileURLToPath(new URL('../support/image-child.ts', import.meta.url))
const OWN = /^(pull|layer|blob)\./
let registry: TestRegistry
let proxy: RegistryProxy
let reference: string
let image: OciImage
let root: string

before(async () => {
  registry = await startRegistry()
  proxy = await startRegistryProxy(registry)
  image = ociImage({ layers: [1, 2, 3].map((layer) => [{ path: `layer${layer}`, content: randomBytes(20_000) }]) })
  await pushImage(registry, 'test/app', image)
  reference = `${proxy.host}/test/app:latest`
})

after(async () => {
  await proxy[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
})

/** Hooks would run around subtests as well. */
async function inNewRoot(work: () => Promise<void>): Promise<void> {
  root = await mkdtemp('/var/tmp/condenser-images-')
  try {
    await work()
  } finally {
    await rm(root, { recursive: true })
  }
}

/** @returns the signal that ended it */
async function child(verb: 'pull' | 'remove', env: Record<string, string> = {}): Promise<string | null> {
  const args = [
    ...process.execArgv.filter((arg) => !arg.startsWith('--test')),
    CHILD,
    root,
    proxy.host,
    verb,
    reference,
  ]
  const process_ = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  const [code, signal] = await once(process_, 'exit')
  if (signal === null) assert.equal(code, 0)
  return signal
}

/** The failpoints that the verb passes, those of `images` the last time as well, as CONDENSER_FAILPOINT has them. */
async function failpoints(verb: 'pull' | 'remove'): Promise<string[]> {
  const hits = new Map<string, number>()
  await inNewRoot(async () => {
    if (verb === 'remove') await child('pull')
    const trace = join(root, 'trace')
    await child(verb, { CONDENSER_FAILPOINT_LOG: trace })
    for (const name of (await readFile(trace, 'utf8')).trim().split('\n')) hits.set(name, (hits.get(name) ?? 0) + 1)
  })
  return [...hits].flatMap(([name, count]) => (count === 1 || !OWN.test(name) ? [name] : [name, `${name}:${count}`]))
}

async function withEngine<T>(work: (engine: Awaited<ReturnType<typeof openImageEngine>>) => Promise<T>): Promise<T> {
  await using engine = await openImageEngine(root, { registries: { [proxy.host]: { insecure: true } } })
  await engine.images.recover(engine.ctx)
  return await work(engine)
}

/** Nothing half done is left, and every layer has its directory. */
function assertWhole({ layers, directories, ingests }: Holdings): void {
  assert.deepEqual(
    layers,
    directories.map((directory) => `${directory} ready`),
  )
  for (const digest of ingests) assert.ok(image.blobs.has(digest) || image.manifests.has(digest))
}

test('a kill anywhere in a pull loses nothing that was verified, and the next pull completes', async (t) => {
  const points = await failpoints('pull')
  for (const wanted of [
    'pull.record',
    'pull.blob',
    'pull.layer',
    'pull.unpack',
    'pull.commit',
    'pull.sync',
    'pull.image',
  ]) {
    assert.ok(points.includes(wanted), `${wanted} is passed`)
  }
  const verify = (point: string) => async () => {
    assert.equal(await child('pull', { CONDENSER_FAILPOINT: point }), 'SIGKILL')
    await withEngine(async (engine) => {
      const before = await engine.look()
      assertWhole(before)
      assert.ok(before.blobs.length === 0 || before.pulls.length + before.images.length > 0)
      proxy.reset()
      await finish(engine.images.pull(engine.ctx, reference))
      for (const digest of before.blobs) assert.equal(proxy.downloads(digest), 0)
      const after = await engine.look()
      assertWhole(after)
      assert.deepEqual([after.images, after.pulls, after.layers.length, after.blobs.length], [[reference], [], 3, 5])
    })
  }
  for (const point of points) await t.test(point, () => inNewRoot(verify(point)))
})

test('a kill anywhere in a removal leaves the image whole or finishes it at boot', async (t) => {
  const template = await mkdtemp('/var/tmp/condenser-images-')
  t.after(() => rm(template, { recursive: true }))
  await inNewRoot(async () => {
    await child('pull')
    execFileSync('cp', ['-a', `${root}/.`, template])
  })
  const verify = (point: string) => async () => {
    execFileSync('cp', ['-a', `${template}/.`, root])
    assert.equal(await child('remove', { CONDENSER_FAILPOINT: point }), 'SIGKILL')
    await withEngine(async (engine) => {
      const held = await engine.look()
      assertWhole(held)
      if (held.images.length > 0) await engine.images.remove(engine.ctx, reference)
      assert.deepEqual(await engine.look(), NOTHING)
    })
  }
  for (const point of await failpoints('remove')) await t.test(point, () => inNewRoot(verify(point)))
})

test('what no record names goes at boot, what is not ours stays', () =>
  inNewRoot(async () => {
    await child('pull')
    await mkdir(join(root, 'l', 'zz', 'deep'), { recursive: true })
    await mkdir(join(root, 'l', 'lost+found'))
    const stray = image.config!.digest.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')).slice('sha256:'.length)
    await writeFile(join(root, 'content/blobs/sha256', stray), 'stray')
    await writeFile(join(root, 'content/ingest', stray), 'stray')
    await withEngine(async (engine) => {
      const { directories, blobs, ingests } = await engine.look()
      assert.deepEqual([directories, blobs.length, ingests], [['1', '2', '3', 'lost+found'], 5, []])
    })
  }))
