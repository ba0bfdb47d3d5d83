import { type FileHandle, open } from 'node:fs/promises'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { systemCode } from '../lib/errors.ts'
import type { LogRecord } from './cri-log.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'
import { FollowTurns } from './follow-turns.ts'
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
    const records = await reader.read(await turns.next())
    turns.found(reader.bytesRead, reader.hasMore)
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

  /** The next records, in at most so many bytes; undefined if there is nothing new. */
  async read(bytes: number): Promise<LogRecord[] | undefined> {
    this.bytesRead = 0
    this.#handle ??= await this.#find()
    const chunk = await this.#chunk(bytes)
    if (chunk !== undefined) return this.#split(chunk)
    const newer = await this.#newer()
    if (newer === undefined) {
      this.hasMore = false
      return undefined
    }
    // The writer has gone on to the newer one: what it wrote before that is there now.
    const last = await this.#chunk(bytes)
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

  async #chunk(bytes: number): Promise<Buffer | undefined> {
    if (this.#handle === undefined) return undefined
    const buffer = Buffer.allocUnsafe(bytes)
    const { bytesRead } = await this.#handle.read(buffer, 0, bytes, this.#offset)
    this.#offset += bytesRead
    this.bytesRead = bytesRead
    this.hasMore = bytesRead === bytes
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
