import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { systemCode } from '../lib/errors.ts'
import type { LogRecord } from './cri-log.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'
import { findTail } from './log-reader.ts'
import {
  candidates,
  completeSize,
  type LogSpan,
  openLogSpan,
  type PlacedRecord,
  recordsForwards,
  splitRecords,
} from './log-span.ts'
import type { LogOptions, LogPiece } from './types.ts'
import { watchLog } from './watch-log.ts'

const CHUNK_BYTES = 64 * 1024
const NEWLINE = 0x0a

/**
 * The last lines of a log, and then what is written to it, over rotations, until `over` has resolved and all has been
 * read. Who reads slowly makes nobody wait: what he has not read yet is in the log.
 */
export async function* followLog(
  ctx: Ctx,
  file: string,
  { tailLines, since, until }: LogOptions,
  over: Promise<unknown>,
): AsyncGenerator<readonly LogPiece[]> {
  using changes = watchLog(ctx, file, over, until)
  const toPieces = pieceMaker(since, until)
  let place: LogSpan['last']
  let offset = 0
  {
    await using span = await openLogSpan(file)
    const { from, firstEnd } = await findTail(ctx, span, tailLines)
    const toWanted = linesThatEndFrom(firstEnd)
    for await (const records of recordsForwards(span, from)) yield toPieces(toWanted(records))
    place = span.last
    if (place !== undefined) offset = Math.max(0, (await completeSize(span)) - place.start)
  }
  await using reader = new LogFiles(file, place?.inode, offset)
  using turns = new FollowTurns()
  for (;;) {
    throwIfEnded(ctx)
    // Asked before it is read: what was written before the end is there then.
    const isOver = changes.isOver()
    changes.seen()
    await turns.next()
    const records = await reader.read()
    turns.found(reader.bytesRead)
    if (records !== undefined) yield toPieces(records)
    else if (isOver) return
    if (!isOver && !reader.hasMore) await changes.next()
  }
}

/** Of a container; without `follow`, only what is there. */
export function followContainerLog(
  ctx: Ctx,
  { store, exits, paths }: Deps,
  ref: string,
  options: LogOptions,
): AsyncIterable<readonly LogPiece[]> {
  const { metadata, status } = store.read((tx) => findContainer(tx, ref))
  const goesOn = options.follow === true && status.pid !== undefined
  const over = goesOn ? exits.next(ctx, metadata.uid) : Promise.resolve()
  // Who has gone before he reads listens to nothing.
  over.catch(() => {})
  return followLog(ctx, paths.log(metadata.uid), options, over)
}

/** Of those who follow busy logs, this many do not wait for each other. */
const FEW = 2
/** What all others may take together: some sixth of the main thread's time. */
const SHARED_BYTES_PER_MS = 8 * 1024

let busyFollowers = 0
let nextTurnAt = 0

/** Many who follow busy logs share what they may take of the main thread, which has other things to do. */
class FollowTurns implements Disposable {
  #isBusy = false
  /** What its turn has taken of the others' time, until the read tells how much it was. */
  #reserved = 0

  /** Before a read of at most a chunk. */
  async next(): Promise<void> {
    if (!this.#isBusy || busyFollowers <= FEW) return
    const now = performance.now()
    const turnAt = Math.max(now, nextTurnAt)
    nextTurnAt = turnAt + CHUNK_BYTES / SHARED_BYTES_PER_MS
    this.#reserved = CHUNK_BYTES
    if (turnAt > now) await sleep(turnAt - now)
  }

  /** So many bytes has it found: the log is busy if any. */
  found(bytes: number): void {
    nextTurnAt -= Math.max(0, this.#reserved - bytes) / SHARED_BYTES_PER_MS
    this.#reserved = 0
    const isBusy = bytes > 0
    if (this.#isBusy !== isBusy) busyFollowers += isBusy ? 1 : -1
    this.#isBusy = isBusy
  }

  [Symbol.dispose](): void {
    this.found(0)
  }
}

/** Reads a log's files one after the other, from a place in one of them. */
class LogFiles implements AsyncDisposable {
  readonly #file: string
  #inode: bigint | undefined
  #offset: number
  #handle: FileHandle | undefined
  #rest: Buffer = Buffer.alloc(0)

  constructor(file: string, inode: bigint | undefined, offset: number) {
    this.#file = file
    this.#inode = inode
    this.#offset = offset
  }

  /** Whether the last read was not the last one that there is something for. */
  hasMore = true
  /** By the last read. */
  bytesRead = 0

  /** The next records; undefined if there is nothing new. */
  async read(): Promise<LogRecord[] | undefined> {
    this.bytesRead = 0
    this.#handle ??= await this.#find()
    const chunk = await this.#chunk()
    if (chunk !== undefined) return this.#split(chunk)
    const newer = await this.#newer()
    if (newer === undefined) return undefined
    // The writer has gone on to the newer one: what it wrote before that is there now.
    const last = await this.#chunk()
    if (last !== undefined) {
      await newer.handle.close()
      return this.#split(last)
    }
    await this.#handle?.close()
    this.#handle = newer.handle
    this.#inode = newer.inode
    this.#offset = 0
    this.#rest = Buffer.alloc(0)
    this.hasMore = true
    return []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close()
  }

  async #chunk(): Promise<Buffer | undefined> {
    if (this.#handle === undefined) return undefined
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK_BYTES, this.#offset)
    this.#offset += bytesRead
    this.bytesRead = bytesRead
    this.hasMore = bytesRead === CHUNK_BYTES
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead)
  }

  #split(chunk: Buffer): LogRecord[] {
    const block = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const end = block.lastIndexOf(NEWLINE) + 1
    this.#rest = block.subarray(end)
    return splitRecords(block.subarray(0, end), 0)
  }

  async #find(): Promise<FileHandle | undefined> {
    if (this.#inode === undefined) return undefined
    for await (const { handle, inode } of openFiles(this.#file)) {
      if (inode === this.#inode) return handle
      await handle.close()
    }
    return undefined
  }

  /** The file that comes after the present one: the oldest there is, should that have been removed meanwhile. */
  async #newer(): Promise<{ handle: FileHandle; inode: bigint } | undefined> {
    let newer: { handle: FileHandle; inode: bigint } | undefined
    for await (const candidate of openFiles(this.#file)) {
      if (candidate.inode === this.#inode) {
        await candidate.handle.close()
        return newer
      }
      await newer?.handle.close()
      newer = candidate
    }
    return newer
  }
}

/** The youngest first. */
async function* openFiles(file: string): AsyncGenerator<{ handle: FileHandle; inode: bigint }> {
  for (const path of await candidates(file)) {
    const handle = await open(path, 'r').catch((error) => {
      if (systemCode(error) !== 'ENOENT') throw error
    })
    if (handle !== undefined) yield { handle, inode: (await handle.stat({ bigint: true })).ino }
  }
}

/** The records of lines that end at `firstEnd` or later: a line of one stream may lie around lines of the other. */
function linesThatEndFrom(firstEnd: number) {
  const begun: Record<LogRecord['stream'], LogRecord[]> = { stdout: [], stderr: [] }
  return (records: readonly PlacedRecord[]): LogRecord[] =>
    records.flatMap((record) => {
      const line = [...begun[record.stream], record]
      const isWanted = record.position >= firstEnd
      begun[record.stream] = isWanted || !record.partial ? [] : line
      return isWanted ? line : []
    })
}

function pieceMaker(since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY) {
  const isBounded = since !== Number.NEGATIVE_INFINITY || until !== Number.POSITIVE_INFINITY
  const open = { stdout: false, stderr: false }
  return (records: readonly LogRecord[]): readonly LogPiece[] => {
    const pieces: LogPiece[] = []
    for (const { time, stream, text, partial } of records) {
      const startsLine = !open[stream]
      open[stream] = partial
      const writtenAt = isBounded ? Date.parse(time) : 0
      if (isBounded && (writtenAt < since || writtenAt > until)) continue
      pieces.push({ time, stream, startsLine, bytes: partial ? text : withNewline(text) })
    }
    return pieces
  }
}

/** A complete record's text is followed by its newline, in the block that it was cut from. */
function withNewline(text: Buffer): Buffer {
  return Buffer.from(text.buffer, text.byteOffset, text.length + 1)
}
