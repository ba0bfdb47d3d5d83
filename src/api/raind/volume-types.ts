/** The wire of /v1/volumes: what is sent as interfaces, what is taken as schemas. */

import { array, boolean, map, object, oneOf, optional, type Static, string } from '../../lib/schema.ts'
import type { Labels } from '../../model/meta.ts'
import { labelTerms } from './prune.ts'

export interface WireVolume {
  readonly name: string
  readonly driver: string
  /** Of the host, where its files are. */
  readonly mountPoint: string
  readonly createdAt: string
  readonly labels: Labels
  /** Made without a name. */
  readonly anonymous: boolean
  /** Names of those that use it. */
  readonly containers: readonly string[] | null
}

const text = string({ maxLength: 4096 })

export const createVolumeBody = object({
  /** Absent: generated, and the volume counts as anonymous. */
  name: optional(string({ maxLength: 256 })),
  driver: optional(oneOf('local')),
  labels: optional(map(text)),
})

export const volumesQuery = object({
  /** Whether no container uses it. */
  dangling: optional(boolean()),
  label: optional(labelTerms),
  /** Part of the name. */
  name: optional(array(text)),
  driver: optional(oneOf('local')),
})
export type VolumesQuery = Static<typeof volumesQuery>
