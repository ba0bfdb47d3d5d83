import { join } from 'node:path'
import { StatusError } from '../lib/errors.ts'
import { mount, mountOffThread } from '../linux/mount.ts'
import { MOUNT_POINTS_LAYER } from './mount-points.ts'
import { assertLayerCount, MAX_LAYERS, overlayOptions } from './overlay-options.ts'

export interface OverlayInput {
  readonly layersDir: string
  /** Names below `layersDir`, top first. None: an empty root filesystem. */
  readonly layers: readonly string[]
  /** Absent, with `work`: a read-only one. */
  readonly upper?: string
  readonly work?: string
  readonly target: string
}

/**
 * Mounts by mount(2), which kernels before 6.8 need for many layers: fsconfig(2) takes 255 bytes of `lowerdir` there.
 * Its options must fit a page, so many layers go by their short names, from their directory. The kernel makes and removes
 * files in the work directory: that is the disk's time, and not this thread's. Below all layers is that of the mount points.
 */
export async function mountOverlay({ layersDir, layers, upper, work, target }: OverlayInput): Promise<void> {
  assertLayerCount(layers.length)
  const names = layers.length < MAX_LAYERS ? [...layers, MOUNT_POINTS_LAYER] : layers
  const absolute = overlayOptions({ layers: names.map((name) => join(layersDir, name)), upper, work })
  if (absolute !== undefined) return await mountOffThread('overlay', target, 'overlay', 0, absolute)
  const relative = overlayOptions({ layers: names, upper, work }) ?? overlayOptions({ layers, upper, work })
  mountFrom(layersDir, target, relative)
}

function mountFrom(layersDir: string, target: string, options: string | undefined): void {
  if (options === undefined) {
    throw new StatusError('invalid_argument', `Cannot mount on ${target}: the names of its layers do not fit a page`)
  }
  const before = process.cwd()
  // Nothing else runs on this thread before it is put back; other threads use absolute paths.
  process.chdir(layersDir)
  try {
    mount('overlay', target, 'overlay', 0, options)
  } finally {
    process.chdir(before)
  }
}
