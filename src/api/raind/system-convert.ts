import type { ContainerUsage, VolumeUsage } from '../../containers/index.ts'
import type { ImagesDiskUsage, SpaceUsed } from '../../images/index.ts'
import { type Container, containerState, isAlive } from '../../model/container.ts'
import { shortId } from '../../model/names.ts'
import { withSlash } from './convert.ts'
import type { WireDiskUsage, WireSpace, WireSystemInfo } from './system-types.ts'

export function countStates(containers: readonly Container[]): WireSystemInfo['containers'] {
  const states = Object.groupBy(containers, ({ status }) => containerState(status))
  const counts = Object.entries(states).map(([state, those]) => [state, those.length])
  return { total: containers.length, ...Object.fromEntries(counts) }
}

export function wireDiskUsage(
  images: ImagesDiskUsage,
  containers: readonly ContainerUsage[],
  volumes: readonly VolumeUsage[],
): WireDiskUsage {
  const isUsed = ({ container }: ContainerUsage) => isAlive(container.status)
  return {
    images: {
      ...wireSpace(images.layers),
      // People count images, not layers.
      total: images.images.length,
      active: images.images.filter(({ inUse }) => inUse).length,
      items: images.images.map(({ image: { spec }, usedBytes, inUse }) => ({
        id: spec.config.digest,
        repository: withSlash(spec.repository),
        reference: spec.reference,
        sizeBytes: usedBytes,
        inUse,
      })),
    },
    containers: {
      ...spaceOf(containers, isUsed, ({ writableBytes }) => writableBytes),
      items: containers.map(({ container: { metadata, status }, writableBytes, logBytes }) => ({
        containerId: shortId(metadata.uid),
        name: metadata.name,
        state: containerState(status),
        sizeBytes: writableBytes,
        logBytes,
      })),
    },
    volumes: {
      ...spaceOf(
        volumes,
        ({ containers }) => containers.length > 0,
        ({ usedBytes }) => usedBytes,
      ),
      items: volumes.map(({ volume, usedBytes, containers }) => ({
        name: volume.metadata.name,
        sizeBytes: usedBytes,
        containers: containers.length,
      })),
    },
    blobs: wireSpace(images.blobs),
    logs: spaceOf(
      containers.filter(({ logBytes }) => logBytes > 0),
      isUsed,
      ({ logBytes }) => logBytes,
    ),
  }
}

function wireSpace({ total, active, usedBytes, reclaimableBytes }: SpaceUsed): WireSpace {
  return { total, active, sizeBytes: usedBytes, reclaimableBytes }
}

function spaceOf<T>(all: readonly T[], isUsed: (one: T) => boolean, bytesOf: (one: T) => number): WireSpace {
  const bytes = (some: readonly T[]) => some.reduce((sum, one) => sum + bytesOf(one), 0)
  const active = all.filter(isUsed)
  return {
    total: all.length,
    active: active.length,
    sizeBytes: bytes(all),
    reclaimableBytes: bytes(all) - bytes(active),
  }
}
