import { existsSync, readFileSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import type { Logger } from '../lib/log.ts'
import type { Kind } from '../model/kinds.ts'
import type { StoredObject } from '../model/meta.ts'

/** What comes together is written together. */
const GATHER_MS = 50
/** When it is written as a whole for the first time: a daemon has better things to do while it starts. */
const FIRST_MS = 1000
/** How much may be appended before it is written as a whole again. */
const APPEND_LIMIT_BYTES = 8 * 1024 * 1024
const HEADER = '{"format":1}\n'

/** The JSON of an object, or null for one that is gone, by `changeKey`. */
export type Changes = ReadonlyMap<string, string | null>

export function changeKey(kind: Kind, uid: string): string {
  return `${kind} ${uid}`
}

/**
 * A second copy of all objects, as lines of text in a file beside the database, for the day on which that is damaged.
 * It follows the database by 50 ms, off the main thread, and is not synced: what is acknowledged is in the database.
 *
 * A line is `{"key":"<kind> <uid>","object":{...}}`, or has null for an object that is gone; the last one counts.
 */
export class RecordsCopy implements AsyncDisposable {
  readonly #file: string
  readonly #snapshot: () => Iterable<readonly [string, string]>
  readonly #log: Logger
  #pending = new Map<string, string | null>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #handle: FileHandle | undefined
  #appendedBytes = 0
  /** It lacks something, so that it has to be written as a whole. */
  #isPartial = true
  #hasFailed = false
  #closed = false

  /** @param snapshot the JSON of all objects as they are now, in the order of their creation, by `changeKey` */
  constructor(file: string, snapshot: () => Iterable<readonly [string, string]>, log: Logger) {
    this.#file = file
    this.#snapshot = snapshot
    this.#log = log
    this.#timer = setTimeout(() => this.#flush(), FIRST_MS).unref()
  }

  add(changes: Changes): void {
    for (const [key, json] of changes) {
      // In the order of its last change: who restores it must not meet a name before its former owner has gone.
      this.#pending.delete(key)
      this.#pending.set(key, json)
    }
    if (changes.size > 0) this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS).unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush()
    this.#closed = true
    await this.#running
    await this.#handle?.close()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#closed) return
    this.#running = this.#running
      .then(() => this.#write())
      .then(
        () => {
          this.#hasFailed = false
        },
        (error) => {
          this.#isPartial = true
          if (!this.#hasFailed) this.#log.warn('the second copy of the records cannot be written', { error })
          this.#hasFailed = true
        },
      )
  }

  async #write(): Promise<void> {
    const changes = this.#pending
    this.#pending = new Map()
    if (this.#isPartial || this.#appendedBytes > APPEND_LIMIT_BYTES) await this.#writeWhole()
    else if (changes.size > 0) await this.#append(changes)
  }

  async #append(changes: Changes): Promise<void> {
    const text = linesOf(changes)
    await this.#handle!.appendFile(text)
    this.#appendedBytes += text.length
  }

  async #writeWhole(): Promise<void> {
    const text = HEADER + linesOf(this.#snapshot())
    await this.#handle?.close()
    this.#handle = undefined
    const draft = `${this.#file}.new`
    const handle = await open(draft, 'w', 0o600)
    try {
      await handle.writeFile(text)
      await rename(draft, this.#file)
    } catch (error) {
      await handle.close()
      throw error
    }
    this.#handle = handle
    this.#appendedBytes = 0
    this.#isPartial = false
  }
}

function linesOf(changes: Iterable<readonly [string, string | null]>): string {
  let text = ''
  for (const [key, json] of changes) text += `{"key":${JSON.stringify(key)},"object":${json}}\n`
  return text
}

/**
 * The objects of a copy, in the order of their creation; undefined if there is none. A torn last line is left out.
 * Lines are in the order of the last changes, so that it is told by the times.
 */
export function readRecordsCopy(file: string): CopiedObject[] | undefined {
  if (!existsSync(file)) return undefined
  const found = new Map<string, StoredObject<unknown, unknown>>()
  for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
    const record = parse(line)
    if (record === undefined) continue
    if (record.object === null) found.delete(record.key)
    else found.set(record.key, record.object)
  }
  return [...found]
    .map(([key, object]) => ({ kind: key.split(' ')[0] as Kind, object }))
    .sort((a, b) => a.object.metadata.createdAt - b.object.metadata.createdAt)
}

export interface CopiedObject {
  readonly kind: Kind
  readonly object: StoredObject<unknown, unknown>
}

function parse(line: string): { key: string; object: StoredObject<unknown, unknown> | null } | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
