import type { Digest } from '../model/digest.ts'
import type { Image } from '../model/image.ts'
import type { ReadTx } from '../store/index.ts'
import { findImage } from './find.ts'

export interface ImageStatus {
  readonly repository: string
  readonly reference: string
  /** The config's digest. */
  readonly id: Digest
  /** `repository:tag` of every name of this image that is a tag. */
  readonly repoTags: readonly string[]
  /** `repository@digest` of the manifest of this platform. */
  readonly repoDigests: readonly string[]
  /** What the config and the compressed layers weigh. */
  readonly sizeBytes: number
  /** As in the image's config: `name`, `uid`, `name:group` ... or empty. */
  readonly user: string
  /** ms; when it came here. */
  readonly createdAt: number
}

export interface ImageUsage {
  readonly repository: string
  readonly reference: string
  /** What its unpacked layers take on disk. Layers that images share count for each of them. */
  readonly usedBytes: number
}

/** @throws {StatusError} `invalid_argument`, `not_found` */
export function imageStatus(tx: ReadTx, reference: string): ImageStatus {
  const image = findImage(tx, reference)
  const { spec, metadata } = image
  const names = tx.list('Image').filter((other) => other.spec.config.digest === spec.config.digest)
  return {
    repository: spec.repository,
    reference: spec.reference,
    id: spec.config.digest,
    repoTags: names.filter((name) => !isByDigest(name)).map((name) => `${name.spec.repository}:${name.spec.reference}`),
    repoDigests: [...new Set(names.map((name) => `${name.spec.repository}@${name.spec.manifest.digest}`))],
    sizeBytes: spec.layers.reduce((sum, layer) => sum + layer.size, spec.config.size),
    user: spec.imageConfig.user,
    createdAt: metadata.createdAt,
  }
}

/** Everything that is known of an image. */
export interface ImageDetails extends ImageStatus {
  readonly image: Image
  readonly usedBytes: number
}

/** @throws {StatusError} `invalid_argument`, `not_found` */
export function imageDetails(tx: ReadTx, reference: string): ImageDetails {
  const image = findImage(tx, reference)
  return { ...imageStatus(tx, reference), ...imageUsage(tx, reference), image }
}

/** @throws {StatusError} `invalid_argument`, `not_found` */
export function imageUsage(tx: ReadTx, reference: string): ImageUsage {
  const { spec } = findImage(tx, reference)
  const usedBytes = spec.chainIds.reduce((sum, id) => sum + (tx.get('Layer', id)?.status.usedBytes ?? 0), 0)
  return { repository: spec.repository, reference: spec.reference, usedBytes }
}

/** A tag cannot contain a colon. */
function isByDigest({ spec }: Image): boolean {
  return spec.reference.includes(':')
}
