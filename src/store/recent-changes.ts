import { deepFreeze } from '../lib/deep-freeze.ts'
import type { Kind } from '../model/kinds.ts'
import type { Change } from './types.ts'

/** Some seconds of a busy host. */
const MOST = 512

/** A row of the log of changes. */
export interface ChangeRow {
  readonly revision: number
  readonly kind: Kind
  readonly action: Change['action']
  readonly uid: string
  readonly json: string
}

/**
 * The last changes, so that those who follow them need not ask the database, each for itself, after every commit: an
 * object is parsed once, whoever is told of it, and frozen. Revisions have no gaps.
 */
export class RecentChanges {
  readonly #most: number
  #rows: { readonly row: ChangeRow; change?: Change }[] = []

  /** @param kept how many the database keeps: who reads from here must not know more than it */
  constructor(kept: number) {
    this.#most = Math.min(MOST, kept)
  }

  add(rows: readonly ChangeRow[]): void {
    for (const row of rows) this.#rows.push({ row })
    // Not one by one: moving the rest costs more than keeping some.
    if (this.#rows.length > 2 * this.#most) this.#rows = this.#rows.slice(-this.#most)
  }

  /** Those of these kinds after that revision, in order; undefined if they are not all here. */
  after(revision: number, kinds: readonly string[] | undefined): Iterable<Change> | undefined {
    const index = this.#indexAfter(revision)
    return index === undefined ? undefined : this.#changes(index, kinds)
  }

  *#changes(index: number, kinds: readonly string[] | undefined): Generator<Change, void, undefined> {
    for (const entry of this.#rows.slice(index)) {
      if (kinds !== undefined && !kinds.includes(entry.row.kind)) continue
      entry.change ??= parsed(entry.row)
      yield entry.change
    }
  }

  #indexAfter(revision: number): number | undefined {
    const first = this.#rows.at(-this.#most) ?? this.#rows[0]
    if (first === undefined || revision < first.row.revision - 1) return undefined
    return revision + 1 - this.#rows[0]!.row.revision
  }
}

function parsed({ revision, kind, action, json }: ChangeRow): Change {
  return { revision, kind, action, object: deepFreeze(JSON.parse(json)) } as Change
}
