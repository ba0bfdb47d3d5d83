import type { Digest } from '../model/digest.ts'
import type { Image, ImageSpec } from '../model/image.ts'
import { formatImageReference, parseImageReference } from '../registry/index.ts'
import type { WriteTx } from '../store/index.ts'

/**
 * Makes `name` stand for an image. What it stood for before, if that was another image, stays without a tag, under its
 * manifest's digest, until it is pruned; unless it has another name. And an image that has a name is not kept without one.
 */
export function nameImage(tx: WriteTx, name: string, { untagged: _, ...spec }: ImageSpec): Image {
  const known = tx.get('Image', name)
  const moved = known !== undefined && known.spec.config.digest !== spec.config.digest
  if (moved) leaveUntagged(tx, known)
  const image =
    known === undefined || moved ? tx.create('Image', { name, spec, status: {} }) : tx.put('Image', { ...known, spec })
  for (const other of namesOf(tx, spec.config.digest)) {
    if (other.spec.untagged && other.metadata.uid !== image.metadata.uid) tx.delete('Image', other.metadata.uid)
  }
  return image
}

function leaveUntagged(tx: WriteTx, image: Image): void {
  const { metadata, spec } = image
  if (namesOf(tx, spec.config.digest).length > 1) {
    tx.delete('Image', metadata.uid)
    return
  }
  const { registry, path } = parseImageReference(metadata.name)
  const { digest } = spec.manifest
  const name = formatImageReference({ registry, path, digest })
  tx.put('Image', { ...image, metadata: { ...metadata, name }, spec: { ...spec, reference: digest, untagged: true } })
}

function namesOf(tx: WriteTx, imageId: Digest): Image[] {
  return tx.list('Image').filter(({ spec }) => spec.config.digest === imageId)
}
