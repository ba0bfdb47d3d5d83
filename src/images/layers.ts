import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { type Limiter, limiter } from '../lib/limiter.ts'
import type { ChainId } from '../model/digest.ts'
import type { Image, Layer, LayerSpec } from '../model/image.ts'
import type { ReadTx } from '../store/index.ts'
import { allOrNone } from './all-or-none.ts'
import { ensureBlob, type FetchBlob } from './blobs.ts'
import { removeLayer } from './collect.ts'
import { type Deps, layerLock } from './deps.ts'
import { freeSpace } from './free-space.ts'
import { layerReport, type ProgressFeed } from './progress.ts'

type Layered = Pick<Image['spec'], 'layers' | 'diffIds' | 'chainIds'>

/**
 * Brings the layers of an image in: downloads and unpacks them side by side, commits them in order, bottom first.
 * The caller has claimed blobs and chainIds. Afterwards every layer is ready, or committed and to be synced.
 */
export async function bringLayers(
  ctx: Ctx,
  deps: Deps,
  image: Layered,
  fetch: FetchBlob,
  feed: ProgressFeed,
): Promise<void> {
  const downloads = limiter(deps.policy.parallelDownloads)
  await allOrNone(ctx, function* (inner) {
    let below = Promise.resolve()
    for (const index of image.chainIds.keys()) {
      below = bringLayer(inner, deps, image, index, below, { fetch, feed, downloads })
      yield below
    }
  })
}

interface From {
  readonly fetch: FetchBlob
  readonly feed: ProgressFeed
  readonly downloads: Limiter
}

/** Two pulls that share the layer meet at its lock: the second one finds it done, or does it itself if the first failed. */
async function bringLayer(
  ctx: Ctx,
  deps: Deps,
  image: Layered,
  index: number,
  below: Promise<void>,
  { fetch, feed, downloads }: From,
): Promise<void> {
  const descriptor = image.layers[index]!
  const chainId = image.chainIds[index]!
  const report = layerReport(feed, descriptor)
  const download = () =>
    downloads(() => ensureBlob(ctx, deps, descriptor, fetch, (bytes) => report('downloading', bytes)))
  report('waiting', 0)
  using _lock = await deps.locks.hold(ctx, layerLock(chainId))

  const known = deps.store.read((tx) => tx.get('Layer', chainId))
  if (known !== undefined && isWhole(deps, known)) {
    if (deps.policy.keepLayerBlobs) await download()
    report('exists', descriptor.size)
    return await below
  }
  if (known !== undefined) await removeLayer(deps, known)
  await download()

  const layer = recordLayer(deps, {
    chainId,
    parent: image.chainIds[index - 1],
    diffId: image.diffIds[index]!,
    blob: descriptor.digest,
  })
  await unpackLayer(ctx, deps, layer, image.chainIds.slice(0, index), below, (bytes) => report('unpacking', bytes))
  report('done', descriptor.size)
}

/** The record comes before the first file. */
function recordLayer({ store, directories }: Deps, draft: Omit<LayerSpec, 'directory'>): Layer {
  failpoint('pull.layer')
  return store.write((tx) =>
    tx.create('Layer', {
      name: draft.chainId,
      spec: { ...draft, directory: directories.next(tx) },
      status: { state: 'unpacking' },
    }),
  )
}

async function unpackLayer(
  ctx: Ctx,
  deps: Deps,
  { metadata, spec }: Layer,
  chainBelow: readonly ChainId[],
  below: Promise<void>,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const { store, content, snapshots, layersDir, policy } = deps
  const input = {
    blobPath: content.path(spec.blob),
    directory: spec.directory,
    diffId: spec.diffId,
    maxBytes: await freeSpace(layersDir, policy.reserve),
  }
  failpoint('pull.unpack')
  const unpacked = await snapshots.unpack(ctx, input, onProgress)
  await below
  failpoint('pull.commit')
  await snapshots.commit(
    ctx,
    unpacked,
    store.read((tx) => directoriesOf(tx, chainBelow)),
  )
  store.write((tx) => tx.putStatus('Layer', metadata.uid, { usedBytes: unpacked.usedBytes }))
  deps.committed.add(spec.chainId)
}

/** Ready, or committed by a pull of this process that has yet to sync. */
export function isWhole({ committed }: Pick<Deps, 'committed'>, layer: Layer): boolean {
  return layer.status.state === 'ready' || committed.has(layer.spec.chainId)
}

/** Top first, as overlay takes them. @throws {StatusError} `internal` if one is not there: a claim or record is missing */
export function directoriesOf(tx: ReadTx, chainIds: readonly ChainId[]): readonly string[] {
  return chainIds.toReversed().map((chainId) => {
    const layer = tx.get('Layer', chainId)
    if (layer === undefined) throw new StatusError('internal', `Layer ${chainId} is not there`)
    return layer.spec.directory
  })
}
