import type { ChainId, Digest } from '../model/digest.ts'
import type { Image } from '../model/image.ts'
import type { ReadTx } from '../store/index.ts'

/** What records need. */
export interface References {
  readonly blobs: ReadonlySet<Digest>
  readonly chainIds: ReadonlySet<ChainId>
}

/** Images (or some of them), containers and pulls protect what they name; nothing else in the store does. */
export function references(
  tx: ReadTx,
  keepLayerBlobs: boolean,
  counts: (image: Image) => boolean = () => true,
): References {
  const blobs = new Set<Digest>()
  const chainIds = new Set<ChainId>()
  for (const { spec } of tx.list('Image').filter(counts)) {
    for (const digest of imageBlobs(spec, keepLayerBlobs)) blobs.add(digest)
    for (const chainId of spec.chainIds) chainIds.add(chainId)
  }
  for (const { spec } of tx.list('Container')) for (const chainId of spec.chainIds) chainIds.add(chainId)
  for (const { status } of tx.list('Pull')) {
    for (const digest of status.blobs) blobs.add(digest)
    for (const chainId of status.chainIds) chainIds.add(chainId)
  }
  return { blobs, chainIds }
}

/** The config digests of the images that containers were made from. */
export function usedImageIds(tx: ReadTx): ReadonlySet<Digest> {
  return new Set(tx.list('Container').map(({ spec }) => spec.imageId))
}

/** The documents that describe an image and, if they are kept, its compressed layers. */
export function imageBlobs(
  spec: Pick<Image['spec'], 'target' | 'manifest' | 'config' | 'layers'>,
  keepLayerBlobs: boolean,
): Digest[] {
  const documents = [spec.target.digest, spec.manifest.digest, spec.config.digest]
  return keepLayerBlobs ? [...documents, ...spec.layers.map((layer) => layer.digest)] : documents
}
