import type { VolumeFilter, VolumeView } from '../../containers/index.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import { parseLabelTerm } from '../../model/label-term.ts'
import { wireTime } from './convert.ts'
import type { VolumesQuery, WireVolume } from './volume-types.ts'

export function wireVolume({ volume, mountPoint, containers }: VolumeView): WireVolume {
  const { metadata, spec } = volume
  return {
    name: metadata.name,
    driver: spec.driver,
    mountPoint,
    createdAt: wireTime(metadata.createdAt),
    labels: metadata.labels,
    anonymous: spec.anonymous,
    containers: containers.length === 0 ? null : containers,
  }
}

export function toVolumeFilter({ dangling, label, name }: VolumesQuery): VolumeFilter {
  return withoutUndefined({ dangling, names: name, labels: label?.map(parseLabelTerm) })
}
