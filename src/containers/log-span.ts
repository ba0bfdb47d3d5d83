import { type FileHandle, open, readdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { systemCode } from '../lib/errors.ts'
import { type LogRecord, parseLogRecord } from './cri-log.ts'

/** A log's rotated files and the current one as they were when it was opened, as one run of bytes, the oldest first. */
export interface LogSpan extends AsyncDisposable {
  readonly size: number
  /** The current file; absent if there is none. */
  readonly last?: { readonly inode: bigint; readonly start: number }
  /** Up to `length` bytes from `position` on; empty only at the end. */
  read(position: number, length: number): Promise<Buffer>
}

export interface PlacedRecord extends LogRecord {
  /** Where it starts in the span. */
  readonly position: number
}

interface Piece {
  readonly handle: FileHandle
  readonly inode: bigint
  readonly start: number
  readonly size: number
}

const CHUNK_BYTES = 64 * 1024
const NEWLINE = 0x0a

/** Opens what there is of a log: FILE, FILE.1 (the youngest of the rotated) and so on. Empty if there is nothing. */
export async function openLogSpan(file: string): Promise<LogSpan> {
  const opened: Omit<Piece, 'start'>[] = []
  // The youngest first: a rotation in between shows a file twice, but hides none.
  for (const path of await candidates(file)) {
    const piece = await openPiece(path)
    if (piece === undefined) continue
    if (opened.some(({ inode }) => inode === piece.inode)) await piece.handle.close()
    else opened.push(piece)
  }
  let size = 0
  const pieces = opened.reverse().map((piece): Piece => {
    const start = size
    size += piece.size
    return { ...piece, start }
  })
  const last = pieces.at(-1)
  return {
    size,
    ...(last !== undefined && { last }),
    read: (position, length) => readPiece(pieces, position, length),
    async [Symbol.asyncDispose]() {
      await Promise.all(pieces.map(({ handle }) => handle.close()))
    },
  }
}

/** Where the last complete record ends. */
export async function completeSize(span: LogSpan): Promise<number> {
  for (let end = span.size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES)
    const newline = (await readExactly(span, start, end - start)).lastIndexOf(NEWLINE)
    if (newline >= 0) return start + newline + 1
    end = start
  }
  return 0
}

/** The complete records from `from` on, a chunk's at a time. What is no record is left out. */
export async function* recordsForwards(span: LogSpan, from: number): AsyncGenerator<PlacedRecord[]> {
  let rest: Buffer = Buffer.alloc(0)
  let position = from
  while (position < span.size) {
    const chunk = await span.read(position, CHUNK_BYTES)
    if (chunk.length === 0) return // someone truncated it
    const block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const start = position - rest.length
    position += chunk.length
    const end = block.lastIndexOf(NEWLINE) + 1
    yield splitRecords(block.subarray(0, end), start)
    rest = block.subarray(end)
  }
}

/** All complete records, the last one first. */
export async function* recordsBackwards(span: LogSpan): AsyncGenerator<PlacedRecord> {
  let rest: Buffer = Buffer.alloc(0)
  let position = span.size
  let atEnd = true
  while (position > 0) {
    const start = Math.max(0, position - CHUNK_BYTES)
    const block = Buffer.concat([await readExactly(span, start, position - start), rest])
    position = start
    const end = atEnd ? block.lastIndexOf(NEWLINE) + 1 : block.length
    // All before the first newline may have begun in an earlier chunk.
    const begin = start === 0 ? 0 : block.indexOf(NEWLINE) + 1
    if (end > 0) atEnd = false
    if (end > begin) yield* splitRecords(block.subarray(begin, end), start + begin).reverse()
    rest = block.subarray(0, start === 0 || end === 0 ? block.length : begin)
  }
}

/** @param block whole lines, which begin at `start` */
export function splitRecords(block: Buffer, start: number): PlacedRecord[] {
  const records: PlacedRecord[] = []
  for (let at = 0; at < block.length; ) {
    const end = block.indexOf(NEWLINE, at)
    const record = parseLogRecord(block.subarray(at, end))
    if (record !== undefined) records.push({ ...record, position: start + at })
    at = end + 1
  }
  return records
}

/** The names that a log's files may have, the youngest first. */
export async function candidates(file: string): Promise<string[]> {
  const prefix = `${basename(file)}.`
  const names = await readdir(dirname(file)).catch(ignoreMissing)
  const numbers = (names ?? [])
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
  const oldest = Math.max(0, ...numbers) + 1 // one more: a rotation may come in between
  return [file, ...Array.from({ length: oldest }, (_, i) => `${file}.${i + 1}`)]
}

async function openPiece(path: string): Promise<Omit<Piece, 'start'> | undefined> {
  const handle = await open(path, 'r').catch(ignoreMissing)
  if (handle === undefined) return undefined
  const { ino, size } = await handle.stat({ bigint: true })
  return { handle, inode: ino, size: Number(size) }
}

async function readPiece(pieces: readonly Piece[], position: number, length: number): Promise<Buffer> {
  const piece = pieces.find(({ start, size }) => position >= start && position < start + size)
  if (piece === undefined) return Buffer.alloc(0)
  const buffer = Buffer.allocUnsafe(Math.min(length, piece.start + piece.size - position))
  const { bytesRead } = await piece.handle.read(buffer, 0, buffer.length, position - piece.start)
  return buffer.subarray(0, bytesRead)
}

async function readExactly(span: LogSpan, position: number, length: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (let done = 0; done < length; ) {
    const chunk = await span.read(position + done, length - done)
    if (chunk.length === 0) break
    chunks.push(chunk)
    done += chunk.length
  }
  return Buffer.concat(chunks)
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
