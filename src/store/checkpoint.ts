import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'
import type { Database } from './database.ts'
import type { WalSync } from './durability.ts'

export type CheckpointRequest = 'pass' | 'inspect' | 'end'

export interface CheckpointPass {
  /** Every frame of the log is in the database file, and synced. */
  readonly complete: boolean
  /** The database file cannot grow. */
  readonly full: boolean
}

export interface CheckpointOptions {
  readonly database: Database
  readonly wal: WalSync
  readonly log: Logger
  /** The module that runs in the Worker. */
  readonly worker: URL
  /** The log is emptied when it is larger. */
  readonly limitBytes: number
  /** Called for the log when it is new or has been emptied. */
  readonly reserve: (fd: number) => void
}

/** A busy writer can spoil that many passes before the log is left to grow for another while. */
const MAX_PASSES = 8

/**
 * Moves the log into the database file and empties it, whenever it has grown over a limit.
 *
 * The work and its syncs are done by a Worker, which lives as long as one checkpoint. Writers go on: it copies without
 * keeping anybody out (`PASSIVE`). Only emptying the log needs a moment without a commit since the pass began; it
 * is a truncation without anything left to copy or sync, done here between two turns of the loop. From the second
 * pass on acknowledgements wait, so that under any load that moment comes.
 */
export class Checkpoint {
  readonly #options: CheckpointOptions
  #running: Promise<void> | undefined
  #nextAtBytes: number
  /** Pages that a failed sync lost look clean: never take the log away after that. */
  #failed = false

  constructor(options: CheckpointOptions) {
    this.#options = options
    this.#nextAtBytes = options.limitBytes
    options.reserve(options.wal.fd)
  }

  /** To be called after each commit. */
  startIfDue(): void {
    if (this.#running !== undefined || this.#failed) return
    if (this.#logBytes() < this.#nextAtBytes) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Waits for one under way. False if one has failed: the log must stay, and be recovered at the next start. */
  async settle(): Promise<boolean> {
    await this.#running
    return !this.#failed
  }

  /** What `PRAGMA integrity_check` finds wrong with the file, in its words; off the main thread, in turn with checkpoints. */
  async inspect(): Promise<readonly string[]> {
    while (this.#running !== undefined) await this.#running
    const inspection = this.#inspect()
    this.#running = inspection
      .then(
        () => {},
        () => {},
      )
      .finally(() => {
        this.#running = undefined
      })
    return await inspection
  }

  async #inspect(): Promise<readonly string[]> {
    const { database, worker: entry } = this.#options
    const worker = new Worker(entry, { workerData: { file: database.file }, name: 'inspection' })
    try {
      worker.postMessage('inspect' satisfies CheckpointRequest)
      const [problems] = (await once(worker, 'message')) as [readonly string[]]
      return problems
    } catch (error) {
      return [`it cannot be read: ${messageOf(error)}`]
    } finally {
      await worker.terminate()
    }
  }

  #logBytes(): number {
    return fstatSync(this.#options.wal.fd).size
  }

  async #run(): Promise<void> {
    const { wal, log, limitBytes } = this.#options
    const held = Promise.withResolvers<void>()
    try {
      await this.#emptyLog(held.promise)
      this.#nextAtBytes = this.#logBytes() + limitBytes
      wal.wrote()
      await wal.flush() // the truncation itself
    } catch (error) {
      this.#failed = true
      log.error('checkpoint failed: the database log grows until the daemon is restarted', { error })
    } finally {
      held.resolve()
    }
  }

  async #emptyLog(hold: Promise<void>): Promise<void> {
    const { database, wal, log, worker: entry } = this.#options
    const worker = new Worker(entry, { workerData: { file: database.file }, name: 'checkpoint' })
    worker.on('error', (error) => log.error('checkpoint worker failed', { error }))
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    using pin = new LogPin(database.file)
    try {
      for (let pass = 1; pass <= MAX_PASSES; pass++) {
        if (pass === 2) wal.holdAcknowledgements(hold)
        pin.renew()
        const before = wal.written
        const { complete, full } = await runPass(worker)
        if (full) {
          log.error('the disk is full: the database log grows until there is room again')
          return
        }
        if (complete && wal.written === before) {
          pin.release()
          this.#truncate()
          return
        }
      }
    } finally {
      worker.postMessage('end' satisfies CheckpointRequest)
      await ended
    }
  }

  /**
   * Runs in the same turn as the release of the pin. If some other process reads the database it cannot be done, and
   * SQLite may then start the log anew at the next commit: it has to sync its header, this once on the main thread.
   */
  #truncate(): void {
    const { database, wal, log, reserve } = this.#options
    const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
    database.setSynchronous(busy === 0 ? 'OFF' : 'NORMAL')
    if (busy === 0) reserve(wal.fd)
    if (busy !== 0) log.warn('cannot empty the database log: another process reads the database')
  }
}

async function runPass(worker: Worker): Promise<CheckpointPass> {
  worker.postMessage('pass' satisfies CheckpointRequest)
  const [pass] = (await once(worker, 'message')) as [CheckpointPass]
  return pass
}

/** A read transaction on the end of the log: until its release SQLite does not start the log anew. */
class LogPin implements Disposable {
  readonly #connection: DatabaseSync

  constructor(file: string) {
    this.#connection = new DatabaseSync(file)
    this.#connection.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF')
  }

  /** Moves the pin to the present end of the log. */
  renew(): void {
    this.release()
    this.#connection.exec('BEGIN')
    this.#connection.prepare('SELECT count(*) FROM sqlite_schema').get()
  }

  release(): void {
    if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
  }

  [Symbol.dispose](): void {
    this.#connection.close()
  }
}
