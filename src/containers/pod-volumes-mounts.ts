import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Mount } from '../model/container.ts'
import { bindWithin } from '../snapshots/index.ts'
import type { Deps, Paths } from './deps.ts'
import { assertPathName, holdPod } from './pod-volumes.ts'

/** A volume of a pod in one of its containers. */
export interface PodVolumeMount extends Pick<Mount, 'destination' | 'readOnly' | 'propagation'> {
  /** The name of one that the pod has for itself; or a path of the host. */
  readonly volume: string | { readonly hostPath: string }
  /** What of it is mounted, relative to its root; absent: all of it. */
  readonly subPath?: string
}

/**
 * The mounts of a container that is about to be made, whose pod's volumes are prepared. A part of a volume is bound to a
 * place of the daemon's own at once, and that is mounted into the container: what containers with the volume put at the
 * part's path meanwhile leads nowhere else. These binds are the pod's, go with its volumes, and are made anew for each
 * container of that name.
 *
 * @throws {StatusError} with `details.reason` CreateContainerConfigError
 */
export async function mountPodVolumes(
  ctx: Ctx,
  { locks, paths }: Pick<Deps, 'locks' | 'paths'>,
  { podUid, container }: { readonly podUid: string; readonly container: string },
  mounts: readonly PodVolumeMount[],
): Promise<Mount[]> {
  using _lock = await holdPod(ctx, locks, podUid)
  assertPathName(container)
  return mounts.map(({ volume, subPath = '', destination, readOnly, propagation }, index) => {
    const source = sourceOf(paths, podUid, volume)
    if (subPath === '') return { source, destination, readOnly, propagation }
    const target = join(paths.podMounts(podUid), container, String(index))
    failpoint('pod-volumes.bind')
    try {
      bindWithin({ volume: source, path: subPath, target })
    } catch (error) {
      const message = `failed to prepare subPath for volumeMount "${destination}" of container "${container}": ${messageOf(error)}`
      throw new StatusError('failed_precondition', message, {
        cause: error,
        details: { reason: 'CreateContainerConfigError' },
      })
    }
    return { source: target, destination, readOnly, propagation }
  })
}

function sourceOf(paths: Paths, podUid: string, volume: PodVolumeMount['volume']): string {
  if (typeof volume !== 'string') return volume.hostPath
  assertPathName(volume)
  return paths.podVolume(podUid, volume)
}
