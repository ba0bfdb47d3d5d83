/** What /v1's prunes take and tell, and the label terms of its lists. */
import { array, boolean, object, optional, type Static, string } from '../../lib/schema.ts'
import { parseLabelTerm } from '../../model/label-term.ts'
import { parseMoment } from '../../model/moment.ts'
import type { PruneFilter } from '../../model/prune.ts'

export interface WirePruned {
  /** Names; of images whole ones: `docker.io/library/alpine:latest`. */
  readonly removed: readonly string[]
  /** Only if there is something. */
  readonly failed?: readonly { readonly name: string; readonly message: string }[]
  readonly reclaimedBytes: number
}

/** `KEY`, `KEY=VALUE`, and with a `!` before it what shall not be so. */
export const labelTerms = array(string({ minLength: 1, maxLength: 8192 }), { maxItems: 64 })

const pruneFields = {
  label: optional(labelTerms),
  /** Only what was made before: `24h`, `2026-01-31T12:00:00Z`. */
  until: optional(string({ maxLength: 64 })),
}
export const pruneBody = object(pruneFields)
/** `all`: also images that have a tag, volumes that have a name. */
export const pruneAllBody = object({ ...pruneFields, all: optional(boolean()) })
/** `all`: also images that have a tag. `volumes`: those that have no name go too. */
export const systemPruneBody = object({ ...pruneFields, all: optional(boolean()), volumes: optional(boolean()) })

/** @throws {StatusError} `invalid_argument` */
export function toPruneFilter({ label, until }: Static<typeof pruneBody>): PruneFilter {
  return {
    ...(label !== undefined && { labels: label.map(parseLabelTerm) }),
    ...(until !== undefined && { until: parseMoment('until', until) }),
  }
}
