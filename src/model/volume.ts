import type { StoredObject } from './meta.ts'

/** A directory that outlives containers. Name: what users call it; 64 hex digits for one made without a name. */
export interface VolumeSpec {
  readonly driver: 'local'
  /** Made without a name, for one mount of one container: goes with the container if that is asked for. */
  readonly anonymous: boolean
}

export interface VolumeStatus {
  /** A remove was asked for: it will be finished, whatever happens. */
  readonly removingAt?: number
}

export type Volume = StoredObject<VolumeSpec, VolumeStatus>

/** A volume for a container that is to be made. */
export interface VolumeRequest {
  /** Made if there is none of that name. Absent: a new one without a name. */
  readonly volume?: string
  readonly destination: string
  readonly readOnly: boolean
  /** Leave it empty, whatever the image has at that place. */
  readonly noCopy: boolean
}

/** All mounts of another container. */
export interface VolumesFrom {
  readonly container: string
  readonly readOnly: boolean
}
