import type { Digest } from '../model/digest.ts'
import type { Image } from '../model/image.ts'
import type { Deps } from './deps.ts'
import { references, usedImageIds } from './references.ts'

/** On disk. What is reclaimable goes with `prune --all`. */
export interface SpaceUsed {
  readonly total: number
  /** How many of them containers use. */
  readonly active: number
  readonly usedBytes: number
  readonly reclaimableBytes: number
}

export interface ImagesDiskUsage {
  /** Each name, and whether a container uses its image. Layers that images share count for each of them. */
  readonly images: readonly { readonly image: Image; readonly usedBytes: number; readonly inUse: boolean }[]
  /** Unpacked; each counts once. */
  readonly layers: SpaceUsed
  /** As they came from registries, and what broken-off pulls have left of them. */
  readonly blobs: SpaceUsed
}

export async function imagesDiskUsage({ store, content, policy }: Deps): Promise<ImagesDiskUsage> {
  const { images, layers, kept } = store.read((tx) => {
    const used = usedImageIds(tx)
    const bytes = new Map(tx.list('Layer').map(({ spec, status }) => [spec.chainId, status.usedBytes ?? 0]))
    return {
      images: tx.list('Image').map((image) => ({
        image,
        usedBytes: image.spec.chainIds.reduce((sum, id) => sum + (bytes.get(id) ?? 0), 0),
        inUse: used.has(image.spec.config.digest),
      })),
      layers: bytes,
      kept: references(tx, policy.keepLayerBlobs, ({ spec }) => used.has(spec.config.digest)),
    }
  })
  const blobs = new Map<Digest, number>()
  for await (const digest of content.list()) blobs.set(digest, (await content.size(digest)) ?? 0)
  for (const digest of await content.listIngests()) {
    blobs.set(digest, (blobs.get(digest) ?? 0) + (await content.ingestedBytes(digest)))
  }
  return { images, layers: spaceUsed(layers, kept.chainIds), blobs: spaceUsed(blobs, kept.blobs) }
}

function spaceUsed<Id>(bytes: ReadonlyMap<Id, number>, kept: ReadonlySet<Id>): SpaceUsed {
  const active = [...bytes].filter(([id]) => kept.has(id))
  const usedBytes = sum(bytes.values())
  return {
    total: bytes.size,
    active: active.length,
    usedBytes,
    reclaimableBytes: usedBytes - sum(active.map(([, count]) => count)),
  }
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
