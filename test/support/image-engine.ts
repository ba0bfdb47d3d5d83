import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'node:test'
import { type Content, openContent } from '../../src/content/index.ts'
import { createImages, type ImagePolicy, type Images, type PullProgress } from '../../src/images/index.ts'
import type { Ctx } from '../../src/lib/ctx.ts'
import { jsonLogger, silentLogger } from '../../src/lib/log.ts'
import type { Digest } from '../../src/model/digest.ts'
import type { Image } from '../../src/model/image.ts'
import { createRegistryClient, type RegistryConfig } from '../../src/registry/index.ts'
import { openSnapshots, type Snapshots } from '../../src/snapshots/index.ts'
import { openStore, type Store } from '../../src/store/index.ts'

/** The images module on its real store, content, snapshots and registry client; everything of a daemon but the daemon. */
export interface ImageEngine extends AsyncDisposable {
  readonly root: string
  readonly ctx: Ctx
  readonly store: Store
  readonly content: Content
  readonly snapshots: Snapshots
  readonly images: Images
  readonly layersDir: string
  /** What is there, as sorted names: to be compared. */
  look(): Promise<Holdings>
}

export interface Holdings {
  readonly images: readonly string[]
  readonly pulls: readonly string[]
  readonly layers: readonly string[]
  readonly directories: readonly string[]
  readonly blobs: readonly Digest[]
  readonly ingests: readonly Digest[]
}

export interface ImageEngineOptions {
  readonly registries?: Readonly<Record<string, RegistryConfig>>
  readonly policy?: Partial<ImagePolicy>
  /** How often the registry client tries. */
  readonly tries?: number
  readonly signal?: AbortSignal
}

export const NOTHING: Holdings = { images: [], pulls: [], layers: [], directories: [], blobs: [], ingests: [] }

/** Gives each test of the file an engine of its own, on a directory that goes with it. */
export function engineForEachTest(use: (engine: ImageEngine) => void): void {
  let engine: ImageEngine
  beforeEach(async () => {
    engine = await openImageEngine(await mkdtemp('/var/tmp/condenser-images-'))
    use(engine)
  })
  afterEach(async () => {
    await engine[Symbol.asyncDispose]()
    await rm(engine.root, { recursive: true })
  })
}

export async function openImageEngine(root: string, options: ImageEngineOptions = {}): Promise<ImageEngine> {
  const ctx = { signal: options.signal ?? new AbortController().signal, log: jsonLogger('warn') }
  const layersDir = join(root, 'l')
  const store = openStore({ file: join(root, 'condenser.db'), log: silentLogger })
  const content = await openContent(join(root, 'content'))
  const snapshots = await openSnapshots({ layersDir })
  const registry = createRegistryClient({
    registries: options.registries ?? {},
    limits: { tries: options.tries ?? 3, backoff: { firstMs: 1, maxMs: 10, jitter: 0 } },
  })
  const images = createImages(ctx, { store, content, snapshots, registry, layersDir, policy: options.policy ?? {} })
  return {
    root,
    ctx,
    store,
    content,
    snapshots,
    images,
    layersDir,
    async look() {
      const names = (kind: 'Image' | 'Pull') =>
        store.read((tx) =>
          tx
            .list(kind)
            .map((object) => object.metadata.name)
            .sort(),
        )
      const layers = store.read((tx) => tx.list('Layer'))
      return {
        images: names('Image'),
        pulls: names('Pull'),
        layers: layers.map(({ spec, status }) => `${spec.directory} ${status.state}`).sort(),
        directories: (await readdir(layersDir)).filter((name) => !name.startsWith('.')).sort(),
        blobs: (await Array.fromAsync(content.list())).sort(),
        ingests: (await content.listIngests()).sort(),
      }
    },
    async [Symbol.asyncDispose]() {
      await images[Symbol.asyncDispose]()
      await snapshots[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** Reads progress to its end. */
export async function finish(
  progress: AsyncIterable<PullProgress>,
): Promise<{ items: PullProgress[]; images: Image[] }> {
  const items = await Array.fromAsync(progress)
  return { items, images: items.flatMap((item) => (item.type === 'done' ? [item.image] : [])) }
}
