import type { HistoryEntry, ImageDetails, ImageFilter } from '../../images/index.ts'
import type { Static } from '../../lib/schema.ts'
import { parseLabelTerm } from '../../model/label-term.ts'
import { wireImageStatus, wireTime } from './convert.ts'
import type { imageListQuery, WireHistoryEntry, WireImageInspect } from './image-types.ts'
import { withoutUndefined } from './without-undefined.ts'

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
