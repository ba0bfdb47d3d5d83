import { type LabelTerm, matchesLabels } from './label-term.ts'
import type { Labels } from './meta.ts'

/** Which of the things that nothing uses shall go. */
export interface PruneFilter {
  readonly labels?: readonly LabelTerm[]
  /** ms: only what was made before. */
  readonly until?: number
}

export interface Pruned {
  /** The names that are gone. */
  readonly removed: readonly string[]
  /** What could not be removed, and why; absent if that is nothing. */
  readonly failed?: readonly { readonly name: string; readonly message: string }[]
  /** On disk. */
  readonly reclaimedBytes: number
}

export function matchesPrune(
  { labels, createdAt }: { readonly labels: Labels; readonly createdAt: number },
  { labels: terms = [], until = Number.POSITIVE_INFINITY }: PruneFilter,
): boolean {
  return createdAt < until && matchesLabels(labels, terms)
}
