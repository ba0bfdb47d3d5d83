import type { DatabaseSync } from 'node:sqlite'
import type { Database } from './database.ts'
import { nowNs } from './now-ns.ts'
import type { Retention } from './types.ts'

/** Old rows go this many at a time, so that few transactions pay for it and none pays much. */
const BATCH = 256

const DAY_MS = 24 * 60 * 60 * 1000

/** Some hours of a busy host, and 15 to 30 MB. */
export const DEFAULT_RETENTION: Retention = { changes: 5_000, events: 20_000, eventsMaxAgeMs: 30 * DAY_MS }

/**
 * Drops the oldest changes and events when a transaction has taken the log over a multiple of the batch. Revisions
 * and sequences have no gaps (a rolled back transaction gives its own back), so numbers count rows.
 */
export function compact(database: Database, before: LogEnds, after: LogEnds, keep: Retention): void {
  if (crossed(before.revision, after.revision)) {
    database.prepare('DELETE FROM changes WHERE revision <= ?').run(after.revision - keep.changes)
  }
  if (crossed(before.sequence, after.sequence)) {
    database.prepare('DELETE FROM events WHERE sequence <= ?').run(after.sequence - keep.events)
    if (keep.eventsMaxAgeMs !== undefined) dropOlder(database, keep.eventsMaxAgeMs)
  }
}

/** Looks at the oldest rows only: more than come between two looks. */
function dropOlder(database: Database, maxAgeMs: number): void {
  const oldest = `SELECT sequence, time_ns FROM events ORDER BY sequence LIMIT ${4 * BATCH}`
  database
    .prepare(`DELETE FROM events WHERE sequence IN (SELECT sequence FROM (${oldest}) WHERE time_ns < ?)`)
    .run(nowNs() - BigInt(maxAgeMs) * 1_000_000n)
}

const LOG_ENDS = `SELECT
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) AS revision,
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0) AS sequence`

/** The numbers of the last change and of the last event; 0 before the first. */
export interface LogEnds {
  readonly revision: number
  readonly sequence: number
}

export function readLogEnds(connection: DatabaseSync): LogEnds {
  return connection.prepare(LOG_ENDS).get() as unknown as LogEnds
}

function crossed(before: number, after: number): boolean {
  return Math.floor(before / BATCH) !== Math.floor(after / BATCH)
}
