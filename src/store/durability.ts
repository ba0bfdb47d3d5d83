import { closeSync, fdatasync, fsync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { StatusError } from '../lib/errors.ts'

const dataSync = promisify(fdatasync)
const fullSync = promisify(fsync)

/**
 * Makes commits durable without ever syncing on the main thread.
 *
 * The main connection runs with `synchronous=OFF`: a commit is a write(2) to the -wal file, which outlives the process
 * but not the power. `durable()` runs fdatasync of that file in libuv's pool. Callers that come while one runs wait
 * for the next one together (group commit), because the running one may have begun before their commit.
 *
 * Why nothing acknowledged is lost, and the file is never torn, whenever the power goes:
 *
 * 1. *A commit that was synced is found again.* Frames of the log carry a running checksum and the salt of the log's
 *    header; SQLite takes the longest valid run of whole transactions. fdatasync covers everything that was written
 *    before it, and the length of the file. The log's directory entry is synced before the first acknowledgement, and
 *    the -wal file stays the same one while a connection is open: SQLite unlinks it only when the last one is closed.
 * 2. *A commit that was not synced goes as a whole*, by the same checksum, and nobody was told of it.
 * 3. *The database file is written only from a synced log.* Only a checkpoint writes it, in a Worker, with
 *    `synchronous=FULL`: it syncs the log, copies pages, syncs the database. Torn at any point, the log repairs it.
 * 4. *The log is emptied only when all of it is in the synced database file* (checkpoint.ts). The one danger of
 *    `synchronous=OFF` lies here: left alone, SQLite starts a fully copied log anew from its top, and would need to
 *    sync the new header first, else old frames could pass for a log next to newer pages. So it never gets to do that:
 *    a read transaction pins the log until it is emptied by truncation. Truncating and then appending needs no sync
 *    in between on a file system that orders a file's metadata (ext4, xfs, btrfs): after a loss of power the
 *    file has its old length and content, all of which the database holds already, or it is a prefix of the new log.
 * 5. *At close* the connection is set to `FULL` first, so SQLite's own last checkpoint syncs as usual.
 *
 * A sync that failed cannot be repeated: the kernel drops the dirty state of the pages and reports the error once.
 * So after one failure nothing is acknowledged any more until a restart.
 */
export class WalSync {
  readonly #file: string
  readonly #fd: number
  /** Commits written, and how many of them are known to be on disk: none of an earlier run's. */
  #written = 0
  #synced = -1
  #running: { readonly covers: number; readonly done: Promise<void> } | undefined
  #queued: Promise<void> | undefined
  #hold: Promise<void> = Promise.resolve()
  #failure: StatusError | undefined

  /** The -wal file must exist. */
  constructor(databaseFile: string) {
    this.#file = `${databaseFile}-wal`
    this.#fd = openSync(this.#file, 'r+')
  }

  get fd(): number {
    return this.#fd
  }

  /** Counts commits: equal counts mean that nothing was written between. */
  get written(): number {
    return this.#written
  }

  /** To be called after each change of the -wal file. */
  wrote(): void {
    this.#written++
  }

  /** Everything written before this call is on disk when it resolves. */
  async durable(): Promise<void> {
    await this.flush()
    await this.#hold
  }

  /** Holds back acknowledgements until `until` resolves, so that those who write come to rest. */
  holdAcknowledgements(until: Promise<void>): void {
    this.#hold = until
  }

  /** As `durable`, for who must not wait for a hold. */
  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#synced === this.#written) return Promise.resolve()
    if (this.#running === undefined) return this.#start()
    if (this.#running.covers === this.#written) return this.#running.done
    const startNext = () => this.#start()
    this.#queued ??= this.#running.done.then(startNext)
    return this.#queued
  }

  /** Refuses further calls, waits for those under way, then gives the descriptor back. */
  async close(): Promise<void> {
    this.#failure ??= new StatusError('unavailable', 'The store is closed')
    await Promise.allSettled([this.#running?.done, this.#queued])
    closeSync(this.#fd)
  }

  #start(): Promise<void> {
    this.#queued = undefined
    const covers = this.#written
    const done = this.#sync(covers)
    this.#running = { covers, done }
    return done
  }

  async #sync(covers: number): Promise<void> {
    try {
      if (this.#synced === -1) await syncDirectory(dirname(this.#file))
      await dataSync(this.#fd)
      this.#synced = covers
    } catch (error) {
      const message = `Cannot make changes durable: syncing ${this.#file} failed; check the disk, then restart the daemon`
      this.#failure = new StatusError('unavailable', message, { cause: error })
      throw this.#failure
    } finally {
      this.#running = undefined
    }
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const fd = openSync(directory, 'r')
  try {
    await fullSync(fd)
  } finally {
    closeSync(fd)
  }
}
