import type { HistoryEntry, ImageDetails } from '../../images/index.ts'
import { wireImageStatus, wireTime } from './convert.ts'
import type { WireHistoryEntry, WireImageInspect } from './image-types.ts'

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
