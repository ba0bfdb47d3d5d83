import { posix } from 'node:path'
import { StatusError } from '../lib/errors.ts'
import type { Mount } from '../model/container.ts'
import type { Image } from '../model/image.ts'
import { newId } from '../model/names.ts'
import type { VolumeRequest } from '../model/volume.ts'
import type { ReadTx } from '../store/index.ts'
import type { Paths } from './deps.ts'
import { findContainer } from './find.ts'
import type { CreateContainer } from './types.ts'
import { volumeData } from './volumes.ts'

/** Of one image: each is a directory and a mount. */
const MAX_IMAGE_VOLUMES = 256

/**
 * The mounts of a new container. At one destination what was asked for goes before what comes from other containers,
 * that before what the image declares; the last container named goes before the others. As in docker.
 *
 * @throws {StatusError} `invalid_argument`, `not_found` (a container to take volumes from)
 */
export function planMounts(
  tx: ReadTx,
  paths: Paths,
  { mounts = [], tmpfs = [], volumesFrom = [] }: CreateContainer,
  image: Image,
): readonly Mount[] {
  assertDestinationsDiffer([...mounts, ...tmpfs])
  const planned = new Map<string, Mount>()
  for (const { container, readOnly } of volumesFrom) {
    for (const mount of findContainer(tx, container).spec.mounts) {
      const noCopy = mount.volume === undefined ? {} : ({ noCopy: true } as const)
      planned.set(mount.destination, { ...mount, ...noCopy, readOnly: readOnly || mount.readOnly })
    }
  }
  for (const { destination } of tmpfs) planned.delete(destination)
  for (const mount of mounts) planned.set(mount.destination, 'source' in mount ? mount : volumeMount(paths, mount))
  const taken = new Set([...planned.keys(), ...tmpfs.map(({ destination }) => destination)])
  for (const destination of imageVolumes(image)) {
    if (taken.has(destination)) continue
    planned.set(destination, volumeMount(paths, { destination, readOnly: false, noCopy: false }))
  }
  return [...planned.values()]
}

function volumeMount(paths: Paths, { volume, destination, readOnly, noCopy }: VolumeRequest): Mount {
  const name = volume ?? newId()
  return {
    source: volumeData(paths, name),
    volume: name,
    ...(volume === undefined && { anonymous: true }),
    destination,
    readOnly,
    propagation: 'rprivate',
    ...(noCopy && { noCopy }),
  }
}

/** Whatever an image declares, each is a path below the root. */
function imageVolumes({ metadata, spec }: Image): readonly string[] {
  const declared = new Set(spec.imageConfig.volumes.map((path) => posix.resolve('/', path)))
  if (declared.size <= MAX_IMAGE_VOLUMES && !declared.has('/')) return [...declared]
  const why = declared.has('/') ? 'its root as a volume' : `more than ${MAX_IMAGE_VOLUMES} volumes`
  throw new StatusError('invalid_argument', `Cannot use image ${metadata.name}: it declares ${why}`)
}

function assertDestinationsDiffer(mounts: readonly { readonly destination: string }[]): void {
  const seen = new Set<string>()
  for (const { destination } of mounts) {
    if (seen.has(destination)) {
      throw new StatusError('invalid_argument', `Cannot mount two things on "${destination.slice(0, 200)}": choose one`)
    }
    seen.add(destination)
  }
}
