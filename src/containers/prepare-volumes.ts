import type { Ctx } from '../lib/ctx.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Container } from '../model/container.ts'
import type { Deps } from './deps.ts'
import { makeVolumeDirectory, volumeLock } from './volumes.ts'

/**
 * Makes the volumes of a new container, whose records are written, and fills those that are empty with what its image
 * has where they will be mounted. A volume is filled as a whole or not at all, also across an end of the daemon.
 *
 * @throws {StatusError} `resource_exhausted` if the disk is full
 */
export async function prepareVolumes(ctx: Ctx, deps: Deps, { spec }: Container): Promise<void> {
  const { images, snapshots, locks, paths } = deps
  for (const { volume, destination, noCopy } of spec.mounts) {
    if (volume === undefined) continue
    using _lock = await locks.hold(ctx, volumeLock(volume))
    failpoint('create.volume')
    await makeVolumeDirectory(deps, volume)
    if (noCopy) continue
    failpoint('create.seed')
    const layers = images.layerDirectories(spec.chainIds)
    await snapshots.seedVolume(ctx, { directory: paths.volume(volume), layers, path: destination })
  }
}

/** Waits for whoever fills one of these volumes: none is mounted half filled. */
export async function awaitVolumes(ctx: Ctx, { locks }: Deps, { spec }: Container): Promise<void> {
  for (const { volume } of spec.mounts) {
    if (volume !== undefined) (await locks.hold(ctx, volumeLock(volume)))[Symbol.dispose]()
  }
}
