import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import type { Event } from '../model/event.ts'
import type { Commits } from './commits.ts'
import type { Database } from './database.ts'
import type { RecentChanges } from './recent-changes.ts'
import type { Change, EventOptions, WatchOptions } from './types.ts'

/** Rows read at once: a watcher that lags does not hold up the loop. */
const BATCH = 128

/** A table that only grows at its end, and loses rows only at its start. */
interface Log<T> {
  /** The number of the last row, also when that was dropped. */
  end(): number
  /** The number of the first row kept. */
  first(): number | undefined
  /** The first row kept, where rows have a time. */
  oldest?(): { readonly timeNs: bigint } | undefined
  /** The wanted rows after `after`, in order, at most `BATCH`. */
  read(after: number): { readonly number: number; readonly item: T }[]
  /** The same, if it is known without asking the database that none of them has been dropped. */
  recent?(after: number): { readonly number: number; readonly item: T }[] | undefined
}

interface ChangeSource {
  readonly database: Database
  readonly commits: Commits
  readonly recent: RecentChanges
}

export function watchChanges(
  { database, commits, recent }: ChangeSource,
  ctx: Ctx,
  options: WatchOptions,
): AsyncIterable<Change> {
  const log = changeLog(database, recent, options.kinds)
  return follow(log, commits, ctx, options.after ?? log.end())
}

export function streamEvents(
  database: Database,
  commits: Commits,
  ctx: Ctx,
  options: EventOptions,
): AsyncIterable<Event> {
  const log = eventLog(database, options.kinds)
  const from = startOf(database, log, options)
  assertKept(log, from)
  const { follow: following = false } = options
  if (typeof following === 'object') return follow(log, commits, ctx, from, { until: following })
  return follow(log, commits, ctx, from, following ? {} : { last: log.end() })
}

function startOf(database: Database, log: Log<Event>, { after, sinceNs }: EventOptions): number {
  if (sinceNs !== undefined) return lastBefore(database, log, sinceNs)
  if (after === 'last') return log.end()
  return after ?? (log.first() ?? log.end() + 1) - 1
}

/** The sequence before the first event of that time or later; what comes before the oldest kept is 0 if any were dropped. */
function lastBefore(database: Database, log: Log<Event>, sinceNs: bigint): number {
  const next = database.prepare('SELECT sequence FROM events WHERE time_ns >= ? ORDER BY sequence LIMIT 1').get(sinceNs)
  const first = (next as { sequence: number } | undefined)?.sequence ?? log.end() + 1
  const { timeNs } = log.oldest?.() ?? {}
  return timeNs !== undefined && sinceNs < timeNs ? 0 : first - 1
}

/**
 * What watchers are told comes from what is committed (docs/adr/0020), never from the writer, so nothing is missed and each
 * watcher goes at its own pace. Position and rows are read in one turn: nothing is committed between.
 */
async function* follow<T>(
  log: Log<T>,
  commits: Commits,
  ctx: Ctx,
  after: number,
  { last = Number.POSITIVE_INFINITY, until }: { last?: number; readonly until?: AbortSignal } = {},
): AsyncGenerator<T, void, undefined> {
  const ended = () => ctx.signal.aborted || commits.closed
  const waiting = until === undefined ? ctx : { ...ctx, signal: AbortSignal.any([ctx.signal, until]) }
  let position = after
  while (!ended()) {
    if (until?.aborted) last = Math.min(last, log.end())
    const { items, next } = readBatch(log, position)
    position = next
    if (items.length === 0 && position < last) await commits.next(waiting)
    for (const item of items) {
      if (ended()) return
      yield item
    }
    if (position >= last) return
  }
}

function readBatch<T>(log: Log<T>, position: number): { items: T[]; next: number } {
  const recent = log.recent?.(position)
  const end = recent === undefined ? assertKept(log, position) : log.end()
  const rows = recent ?? log.read(position)
  // An idle watcher of a rare kind moves on with the log, else it would expire without having missed anything.
  return { items: rows.map(({ item }) => item), next: rows.length < BATCH ? end : rows.at(-1)!.number }
}

/** Returns the end of the log. @throws {StatusError} `expired` */
function assertKept<T>(log: Log<T>, position: number): number {
  const end = log.end()
  const first = log.first() ?? end + 1
  if (position > end) {
    throw new StatusError('expired', `There is no number ${position} yet, the last one is ${end}: begin again`)
  }
  if (position < first - 1) {
    const oldest = log.oldest?.()
    const time = oldest === undefined ? '' : ` of ${new Date(Number(oldest.timeNs / 1_000_000n)).toISOString()}`
    const wanted = position === 0 ? 'from then on' : `after number ${position}`
    throw new StatusError(
      'expired',
      `What came ${wanted} is not kept any more: list again, and go on from there; the oldest kept is number ${first}${time}`,
    )
  }
  return end
}

function changeLog(database: Database, recent: RecentChanges, kinds: readonly string[] | undefined): Log<Change> {
  return {
    end: () => database.ends.revision,
    recent(after) {
      if (after > database.ends.revision) return undefined
      if (after === database.ends.revision) return []
      const changes = recent.after(after, kinds)
      if (changes === undefined) return undefined
      const rows: { number: number; item: Change }[] = []
      for (const change of changes) {
        rows.push({ number: change.revision, item: change })
        if (rows.length === BATCH) break
      }
      return rows
    },
    first: () => firstOf(database, 'SELECT min(revision) AS first FROM changes'),
    read: (after) => {
      const columns = 'revision, kind, action, json'
      const rows = select(database, 'changes', 'revision', columns, kinds, after) as unknown as StoredChange[]
      return rows.map(({ revision, kind, action, json }) => ({
        number: revision,
        item: { revision, kind, action, object: JSON.parse(json) } as Change,
      }))
    },
  }
}

function eventLog(database: Database, kinds: readonly string[] | undefined): Log<Event> {
  return {
    end: () => database.ends.sequence,
    first: () => firstOf(database, 'SELECT min(sequence) AS first FROM events'),
    oldest: () => {
      const row = database.prepare('SELECT CAST(time_ns AS TEXT) AS time FROM events ORDER BY sequence LIMIT 1').get()
      return row && { timeNs: BigInt((row as { time: string }).time) }
    },
    read: (after) => {
      // A number of JavaScript cannot hold nanoseconds since 1970.
      const columns = 'sequence, CAST(time_ns AS TEXT) AS time, kind, action, uid, name, attributes, actor'
      const rows = select(database, 'events', 'sequence', columns, kinds, after) as unknown as EventRow[]
      return rows.map((row) => ({ number: row.sequence, item: toEvent(row) }))
    },
  }
}

interface StoredChange extends Pick<Change, 'revision' | 'kind' | 'action'> {
  readonly json: string
}

interface EventRow extends Omit<Event, 'timeNs' | 'attributes' | 'actor'> {
  readonly time: string
  readonly attributes: string
  readonly actor: string | null
}

function toEvent({ sequence, time, kind, action, uid, name, attributes, actor }: EventRow): Event {
  const event = { sequence, timeNs: BigInt(time), kind, action, uid, name, attributes: JSON.parse(attributes) }
  return actor === null ? event : { ...event, actor: JSON.parse(actor) }
}

function select(
  database: Database,
  table: 'changes' | 'events',
  key: string,
  columns: string,
  kinds: readonly string[] | undefined,
  after: number,
) {
  const ofKind = kinds === undefined ? '' : 'AND kind IN (SELECT value FROM json_each(?))'
  const sql = `SELECT ${columns} FROM ${table} WHERE ${key} > ? ${ofKind} ORDER BY ${key} LIMIT ${BATCH}`
  return database.prepare(sql).all(after, ...(kinds === undefined ? [] : [JSON.stringify(kinds)]))
}

function firstOf(database: Database, sql: string): number | undefined {
  return (database.prepare(sql).get() as { first: number | null }).first ?? undefined
}
