import { AsyncLocalStorage } from 'node:async_hooks'
import { existsSync, statSync } from 'node:fs'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'
import type { Event } from '../model/event.ts'
import type { Kind } from '../model/kinds.ts'
import { Checkpoint } from './checkpoint.ts'
import { Commits } from './commits.ts'
import { type Database, openDatabase, setAside, suspect } from './database.ts'
import { WalSync } from './durability.ts'
import { nowNs } from './now-ns.ts'
import { ObjectReader } from './read-tx.ts'
import { type ChangeRow, RecentChanges } from './recent-changes.ts'
import { changeKey, RecordsCopy, readRecordsCopy } from './records-copy.ts'
import { compact, DEFAULT_RETENTION } from './retention.ts'
import { isDamage } from './sqlite-error.ts'
import type { Change, EventOptions, ReadTx, Retention, Store, WatchOptions, WriteTx } from './types.ts'
import { streamEvents, watchChanges } from './watch.ts'
import { ObjectWriter, type Written } from './write-tx.ts'

const MIB = 1024 * 1024
/** What is to be written soon is gathered for as long. */
const SOON_MS = 5

type Write = (tx: WriteTx) => void

export interface StoreOptions {
  /** The database file; its directory must exist. One process at a time. */
  readonly file: string
  readonly log: Logger
  readonly retention?: Retention
  /** How large the -wal file may grow before it is emptied. */
  readonly walLimitBytes?: number
  /**
   * Takes disk space for a file beyond its end, without changing its length: so much that a user can still remove things
   * when the disk is full. Absent: none is taken.
   */
  readonly reserve?: (fd: number, bytes: number) => void
  /** Where a second copy of all objects is kept; absent: there is none. */
  readonly copy?: string
  /** Where a bundle has put checkpoint-worker.ts. */
  readonly checkpointWorker?: URL
}

/**
 * With a second copy, a database that is damaged or gone is set aside and made anew from it.
 * @throws {StatusError} `failed_precondition` if the file is damaged and there is no copy, or of a newer version; it is
 *   left as it was
 */
export function openStore(options: StoreOptions): Store {
  const { file, copy } = options
  const copied = copy !== undefined && existsSync(copy)
  if (copied && (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0)
    return restoreStore(options, `the database ${file} is gone`)
  try {
    return new SqliteStore(openDatabase(file), options)
  } catch (error) {
    if (!copied || !isDamage(error)) throw error
    return restoreStore(options, `${error.message}; it is now ${setAside(file)}`)
  }
}

function restoreStore(options: StoreOptions, reason: string): Store {
  const objects = readRecordsCopy(options.copy!) ?? []
  const database = openDatabase(options.file)
  database.restore(objects)
  options.log.error('the records were restored from their second copy', { reason, objects: objects.length })
  return new SqliteStore(database, options, objects.length > 0)
}

class SqliteStore implements Store {
  readonly #database: Database
  readonly #retention: Retention
  readonly #commits = new Commits()
  readonly #wal: WalSync
  readonly #checkpoint: Checkpoint
  readonly #log: Logger
  readonly isRestored: boolean
  readonly #copy: RecordsCopy | undefined
  readonly #recent: RecentChanges
  #soon: { readonly timeNs: bigint; readonly write: Write }[] = []
  #soonTimer: NodeJS.Timeout | undefined
  #current: ObjectReader | undefined

  constructor(database: Database, options: StoreOptions, isRestored = false) {
    const { file, log, retention = DEFAULT_RETENTION, walLimitBytes = 4 * MIB } = options
    this.#database = database
    this.isRestored = isRestored
    this.#copy = options.copy === undefined ? undefined : new RecordsCopy(options.copy, () => this.#allObjects(), log)
    this.#retention = retention
    this.#recent = new RecentChanges(retention.changes)
    this.#log = log
    this.#wal = new WalSync(file)
    const worker = options.checkpointWorker ?? new URL('./checkpoint-worker.ts', import.meta.url)
    const reserve = (fd: number) => options.reserve?.(fd, 2 * walLimitBytes)
    this.#checkpoint = new Checkpoint({ database, wal: this.#wal, log, worker, limitBytes: walLimitBytes, reserve })
  }

  read<T>(fn: (tx: ReadTx) => T): T {
    if (this.#current !== undefined) return fn(this.#current)
    this.#assertOpen()
    // Nobody else writes, and nothing can come between in one turn: it needs no transaction.
    return this.#database.explaining(() => this.#run(new ObjectReader(this.#database), fn))
  }

  write<T>(fn: (tx: WriteTx) => T extends PromiseLike<unknown> ? never : T): T {
    if (this.#current !== undefined) {
      throw new StatusError('internal', 'The store was written inside a transaction: use that transaction')
    }
    this.#assertOpen()
    this.#writeGathered()
    return this.#transaction((written) => this.#run(new ObjectWriter(this.#database, written), fn))
  }

  writeSoon(fn: Write): void {
    this.#assertOpen()
    // Who asked for it is told with an event, and found by way of the calls that lead here.
    const callers = AsyncLocalStorage.snapshot()
    this.#soon.push({ timeNs: nowNs(), write: (tx) => callers(fn, tx) })
    this.#soonTimer ??= setTimeout(() => this.#writeGathered(), SOON_MS)
  }

  #transaction<T>(fn: (written: Written) => T): T {
    const written: Written = { changes: [], events: 0 }
    const before = this.#database.ends
    const { result, after } = this.#database.transaction(() => {
      const result = fn(written)
      const { revision, sequence } = before
      const after = { revision: revision + written.changes.length, sequence: sequence + written.events }
      compact(this.#database, before, after, this.#retention)
      return { result, after }
    })
    if (written.changes.length + written.events === 0) return result
    this.#database.ends = after
    this.#recent.add(written.changes)
    this.#committed()
    this.#copy?.add(lastOfEach(written.changes))
    return result
  }

  #writeGathered(): void {
    clearTimeout(this.#soonTimer)
    this.#soonTimer = undefined
    const gathered = this.#soon
    if (gathered.length === 0) return
    this.#soon = []
    try {
      this.#transaction((written) => {
        for (const { timeNs, write } of gathered) this.#run(new ObjectWriter(this.#database, written, timeNs), write)
      })
    } catch (error) {
      this.#log.error('what was to be written to the store is lost', { count: gathered.length, error })
    }
  }

  durable(): Promise<void> {
    this.#writeGathered()
    return this.#wal.durable()
  }

  async inspect(): Promise<readonly string[]> {
    this.#assertOpen()
    const problems = await this.#checkpoint.inspect()
    if (problems.length > 0) suspect(this.#database.file)
    return problems
  }

  watch(ctx: Ctx, options: WatchOptions = {}): AsyncIterable<Change> {
    this.#assertOpen()
    return watchChanges({ database: this.#database, commits: this.#commits, recent: this.#recent }, ctx, options)
  }

  events(ctx: Ctx, options: EventOptions = {}): AsyncIterable<Event> {
    this.#assertOpen()
    this.#writeGathered()
    return streamEvents(this.#database, this.#commits, ctx, options)
  }

  /** Ends watches, empties the log into the database file, with its syncs, and closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#commits.closed) return
    this.#writeGathered()
    this.#commits.close()
    await this.#copy?.[Symbol.asyncDispose]()
    const mayEmptyLog = await this.#checkpoint.settle()
    await this.#wal.close()
    if (!mayEmptyLog) return
    this.#database.setSynchronous('FULL')
    this.#database.close()
  }

  #run<Tx extends ObjectReader, T>(tx: Tx, fn: (tx: Tx) => T): T {
    this.#current = tx
    try {
      const result = fn(tx)
      if (isThenable(result)) {
        throw new StatusError('internal', 'A transaction of the store was given an asynchronous function')
      }
      return result
    } finally {
      this.#current = undefined
      tx.close()
    }
  }

  *#allObjects(): Iterable<readonly [string, string]> {
    const rows = this.#database.prepare('SELECT kind, uid, json FROM objects ORDER BY id').all()
    for (const { kind, uid, json } of rows as unknown as { kind: Kind; uid: string; json: string }[]) {
      yield [changeKey(kind, uid), json]
    }
  }

  #committed(): void {
    this.#wal.wrote()
    this.#commits.announce()
    this.#checkpoint.startIfDue()
  }

  #assertOpen(): void {
    if (this.#commits.closed) throw new StatusError('unavailable', 'The store is closed')
  }
}

/** What became of each object, in the order of their last changes: null where it is gone. */
function lastOfEach(changes: readonly ChangeRow[]): Map<string, string | null> {
  const last = new Map<string, string | null>()
  for (const { kind, uid, action, json } of changes) {
    const key = changeKey(kind, uid)
    last.delete(key)
    last.set(key, action === 'deleted' ? null : json)
  }
  return last
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
