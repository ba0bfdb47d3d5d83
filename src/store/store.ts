import { AsyncLocalStorage } from 'node:async_hooks'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'
import type { Event } from '../model/event.ts'
import { Checkpoint } from './checkpoint.ts'
import { Commits } from './commits.ts'
import { type Database, openDatabase } from './database.ts'
import { WalSync } from './durability.ts'
import { nowNs } from './now-ns.ts'
import { ObjectReader } from './read-tx.ts'
import { compact, DEFAULT_RETENTION, logEnds } from './retention.ts'
import type { Change, EventOptions, ReadTx, Retention, Store, WatchOptions, WriteTx } from './types.ts'
import { streamEvents, watchChanges } from './watch.ts'
import { ObjectWriter } from './write-tx.ts'

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
  /** Where a bundle has put checkpoint-worker.ts. */
  readonly checkpointWorker?: URL
}

/** @throws {StatusError} `failed_precondition` if the file is damaged or of a newer version; it is left as it was */
export function openStore(options: StoreOptions): Store {
  return new SqliteStore(openDatabase(options.file), options)
}

class SqliteStore implements Store {
  readonly #database: Database
  readonly #retention: Retention
  readonly #commits = new Commits()
  readonly #wal: WalSync
  readonly #checkpoint: Checkpoint
  readonly #log: Logger
  #soon: { readonly timeNs: bigint; readonly write: Write }[] = []
  #soonTimer: NodeJS.Timeout | undefined
  #current: ObjectReader | undefined

  constructor(database: Database, options: StoreOptions) {
    const { file, log, retention = DEFAULT_RETENTION, walLimitBytes = 4 * MIB } = options
    this.#database = database
    this.#retention = retention
    this.#log = log
    this.#wal = new WalSync(file)
    const worker = options.checkpointWorker ?? new URL('./checkpoint-worker.ts', import.meta.url)
    const reserve = (fd: number) => options.reserve?.(fd, 2 * walLimitBytes)
    this.#checkpoint = new Checkpoint({ database, wal: this.#wal, log, worker, limitBytes: walLimitBytes, reserve })
  }

  read<T>(fn: (tx: ReadTx) => T): T {
    if (this.#current !== undefined) return fn(this.#current)
    this.#assertOpen()
    return this.#database.transaction('BEGIN', () => this.#run(new ObjectReader(this.#database), fn))
  }

  write<T>(fn: (tx: WriteTx) => T extends PromiseLike<unknown> ? never : T): T {
    if (this.#current !== undefined) {
      throw new StatusError('internal', 'The store was written inside a transaction: use that transaction')
    }
    this.#assertOpen()
    this.#writeGathered()
    return this.#transaction(() => this.#run(new ObjectWriter(this.#database), fn))
  }

  writeSoon(fn: Write): void {
    this.#assertOpen()
    // Who asked for it is told with an event, and found by way of the calls that lead here.
    const callers = AsyncLocalStorage.snapshot()
    this.#soon.push({ timeNs: nowNs(), write: (tx) => callers(fn, tx) })
    this.#soonTimer ??= setTimeout(() => this.#writeGathered(), SOON_MS)
  }

  #transaction<T>(fn: () => T): T {
    const { result, changed } = this.#database.transaction('BEGIN IMMEDIATE', () => {
      const before = logEnds(this.#database)
      const result = fn()
      const after = logEnds(this.#database)
      compact(this.#database, before, after, this.#retention)
      return { result, changed: after.revision !== before.revision || after.sequence !== before.sequence }
    })
    if (changed) this.#committed()
    return result
  }

  #writeGathered(): void {
    clearTimeout(this.#soonTimer)
    this.#soonTimer = undefined
    const gathered = this.#soon
    if (gathered.length === 0) return
    this.#soon = []
    try {
      this.#transaction(() => {
        for (const { timeNs, write } of gathered) this.#run(new ObjectWriter(this.#database, timeNs), write)
      })
    } catch (error) {
      this.#log.error('what was to be written to the store is lost', { count: gathered.length, error })
    }
  }

  durable(): Promise<void> {
    this.#writeGathered()
    return this.#wal.durable()
  }

  inspect(): Promise<readonly string[]> {
    this.#assertOpen()
    return this.#checkpoint.inspect()
  }

  watch(ctx: Ctx, options: WatchOptions = {}): AsyncIterable<Change> {
    this.#assertOpen()
    return watchChanges(this.#database, this.#commits, ctx, options)
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

  #committed(): void {
    this.#wal.wrote()
    this.#commits.announce()
    this.#checkpoint.startIfDue()
  }

  #assertOpen(): void {
    if (this.#commits.closed) throw new StatusError('unavailable', 'The store is closed')
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
