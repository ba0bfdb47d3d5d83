import type {
  HistoryEntry,
  ImageDetails,
  ImageFilter,
  ImageStatus,
  ImageUsage,
  PullProgress,
} from '../../images/index.ts'
import type { Static } from '../../lib/schema.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import type { Image } from '../../model/image.ts'
import { parseLabelTerm } from '../../model/label-term.ts'
import { orNull, wireTime, withSlash } from './convert.ts'
import type {
  imageListQuery,
  WireHistoryEntry,
  WireImage,
  WireImageInspect,
  WireImageStatus,
  WireImageUsage,
  WireProgress,
} from './image-types.ts'

export function wireImage({ metadata, spec }: Image): WireImage {
  return {
    id: spec.config.digest,
    repository: withSlash(spec.repository),
    reference: spec.reference,
    createdAt: wireTime(metadata.createdAt),
    sizeBytes: spec.layers.reduce((sum, layer) => sum + layer.size, spec.config.size),
    ...(spec.untagged && { dangling: true }),
  }
}

export function wireImageStatus(status: ImageStatus): WireImageStatus {
  return {
    repository: status.repository,
    reference: status.reference,
    id: status.id,
    repoTags: orNull(status.repoTags),
    repoDigests: orNull(status.repoDigests),
    sizeBytes: status.sizeBytes,
    createdAt: wireTime(status.createdAt),
    user: status.user,
  }
}

export function wireImageUsage({ repository, reference, usedBytes }: ImageUsage): WireImageUsage {
  return { image: `${repository}:${reference}`, usedBytes }
}

export function wireProgress(progress: PullProgress): WireProgress {
  return progress.type === 'done' ? { type: 'done', image: progress.image.metadata.name } : progress
}

export function wireImageInspect(details: ImageDetails): WireImageInspect {
  const { spec } = details.image
  return {
    ...wireImageStatus(details),
    builtAt: wireTime(spec.builtAt),
    platform: spec.platform,
    config: spec.imageConfig,
    targetDigest: spec.target.digest,
    manifestDigest: spec.manifest.digest,
    manifestType: spec.manifest.mediaType,
    usedBytes: details.usedBytes,
    layers: spec.layers.map(({ digest, mediaType, size }, index) => ({
      digest,
      mediaType,
      sizeBytes: size,
      diffId: spec.diffIds[index]!,
    })),
  }
}

export function wireHistoryEntry({ createdAt, layer, ...step }: HistoryEntry): WireHistoryEntry {
  return { ...step, createdAt: wireTime(createdAt), layer: layer ?? '' }
}

/** @throws {StatusError} `invalid_argument` */
export function toImageFilter({ label, reference, dangling }: Static<typeof imageListQuery>): ImageFilter {
  return withoutUndefined({ labels: label?.map(parseLabelTerm), references: reference, untagged: dangling })
}
