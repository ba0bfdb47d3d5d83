import { type FSWatcher, watch } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Backoff, backoffMs } from '../lib/backoff.ts'
import { systemCode } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'

export interface LogRotationOptions {
  /** A log that is found larger is rotated. It may overshoot by what is written in `lookAgainMs`. */
  readonly maxBytes: number
  /** The current one and the rotated ones, FILE.1 the youngest; at least 2. */
  readonly maxFiles: number
  readonly log: Logger
  /** How long a log that is being written to is left alone. */
  readonly lookAgainMs?: number
}

const RETRY: Backoff = { firstMs: 1000, maxMs: 60_000, jitter: 0 }

/** Makes the writer go on in a new file at the same path. Must reject if the writer was not told. */
export type ReopenLog = () => Promise<void>

/**
 * Rotates the logs that it follows by renaming, so that the writer, which holds the file, loses nothing.
 *
 * A quiet log costs one inotify watch; a busy one is looked at once in `lookAgainMs`, without a watch.
 */
export class LogRotation implements Disposable {
  readonly #options: LogRotationOptions
  readonly #followed = new Map<string, FollowedLog>()

  constructor(options: LogRotationOptions) {
    this.#options = options
  }

  /** Follows `file` from now on, in place of whatever was followed for this id. */
  follow(id: string, file: string, reopenLog: ReopenLog): void {
    this.leave(id)
    this.#followed.set(id, new FollowedLog(this.#options, file, reopenLog))
  }

  /** Nothing is done for this id any more; a rotation under way comes to its end. */
  leave(id: string): void {
    this.#followed.get(id)?.[Symbol.dispose]()
    this.#followed.delete(id)
  }

  [Symbol.dispose](): void {
    for (const id of [...this.#followed.keys()]) this.leave(id)
  }
}

class FollowedLog implements Disposable {
  readonly #options: LogRotationOptions
  readonly #file: string
  readonly #reopenLog: ReopenLog
  /** Of its directory: the file itself comes and goes. */
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined
  /**
   * The file may have been renamed without the writer being told: at first too, should a daemon have died in between.
   * A writer that was told must not be told again: it would replace the new file by another one.
   */
  #mustReopen = true
  #failures = 0
  #ended = false
  /** One look after the other: two that rotate at once would write over each other's files. */
  #looked: Promise<void> = Promise.resolve()

  constructor(options: LogRotationOptions, file: string, reopenLog: ReopenLog) {
    this.#options = options
    this.#file = file
    this.#reopenLog = reopenLog
    this.#lookLater()
  }

  [Symbol.dispose](): void {
    this.#ended = true
    this.#watcher?.close()
    clearTimeout(this.#timer)
  }

  #lookLater(delayMs = this.#options.lookAgainMs ?? 1000): void {
    this.#watcher?.close()
    this.#watcher = undefined
    clearTimeout(this.#timer)
    if (this.#ended) return
    this.#timer = setTimeout(() => {
      this.#looked = this.#looked.then(() => this.#look()).catch((error: unknown) => this.#failed(error))
    }, delayMs).unref()
  }

  #failed(error: unknown): void {
    if (this.#ended) return
    this.#failures += 1
    this.#options.log.warn('log rotation failed', { file: this.#file, error })
    this.#lookLater(backoffMs(RETRY, this.#failures))
  }

  async #look(): Promise<void> {
    if (this.#ended) return
    let size = await sizeOf(this.#file)
    if (size !== undefined) this.#mustReopen = false
    else if (this.#mustReopen && (await sizeOf(`${this.#file}.1`)) !== undefined) await this.#reopen()
    if (size !== undefined && size > this.#options.maxBytes && !this.#ended) {
      await shiftFiles(this.#file, this.#options.maxFiles)
      size = undefined
      this.#mustReopen = true
      await this.#reopen()
    }
    this.#failures = 0
    if (this.#ended) return
    this.#watcher?.close()
    this.#watcher = watch(dirname(this.#file), { persistent: false }, () => this.#lookLater())
    this.#watcher.on('error', () => this.#lookLater())
    // What came between the look and the watch has raised no event.
    if ((await sizeOf(this.#file)) !== size) this.#lookLater()
  }

  async #reopen(): Promise<void> {
    await this.#reopenLog()
    this.#mustReopen = false
  }
}

/** FILE becomes FILE.1, FILE.1 becomes FILE.2 ... up to the first number that is free; the oldest goes. */
async function shiftFiles(file: string, maxFiles: number): Promise<void> {
  let last = 1
  while (last < maxFiles - 1 && (await sizeOf(`${file}.${last}`)) !== undefined) last++
  await rm(`${file}.${last}`, { force: true })
  for (let number = last - 1; number >= 1; number--) {
    await rename(`${file}.${number}`, `${file}.${number + 1}`).catch(ignoreMissing)
  }
  await rename(file, `${file}.1`)
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(ignoreMissing))?.size
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
