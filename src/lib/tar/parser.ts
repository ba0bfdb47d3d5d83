import type { TarEntry, TarEntryType, TarSink } from './entry.ts'
import { BLOCK_BYTES, isZeroBlock, number, padding, parseHeader, type TarHeader } from './header.ts'
import { malformed } from './malformed.ts'
import { decimal, type PaxRecords, parsePax } from './pax.ts'
import { paxTime } from './pax-time.ts'
import {
  parseSparseBlock,
  parseSparseDataMap,
  SPARSE_EXTENSION,
  SPARSE_HEADER,
  type SparseMap,
  sparseDataMap,
  sparseFromPax,
  validateSparse,
} from './sparse.ts'

/** Bytes of one pax header, long name or sparse map. */
const MAX_EXTENSION_BYTES = 1 << 20
const MAX_ID = 0xffff_fffe

const TYPES: Readonly<Record<string, TarEntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
}

/** pax headers (`X` is Solaris' name), and GNU's long path and link. */
const EXTENSION_TYPES = 'xXgLK'

const NO_RECORDS: PaxRecords = { fields: new Map(), xattrs: undefined, sparse: [] }

/**
 * Reads a tar archive (ustar, pax, GNU, v7) from chunks of any size. It does no I/O and trusts nothing; what the
 * paths mean is the sink's business. Errors are StatusErrors `invalid_argument`.
 */
export class TarParser {
  readonly #sink: TarSink
  /** What the next whole block is; `data` and `extension` take `#left` bytes of any chunking first. */
  #state: 'header' | 'data' | 'extension' | 'sparse-extension' | 'sparse-map' | 'end' = 'header'
  readonly #block = Buffer.alloc(BLOCK_BYTES)
  #blockFill = 0
  /** Bytes of the current entry or extension still to come, and of the padding after them. */
  #left = 0
  #padding = 0
  #zeroBlocks = 0

  #extension: Buffer[] = []
  #extensionType = ''
  #global: PaxRecords = NO_RECORDS
  #pax: PaxRecords = NO_RECORDS
  #longPath: string | undefined
  #longLink: string | undefined

  #entry: TarEntry | undefined
  #sparse: { pieces: number[]; realSize: number } | undefined
  #sparseText = ''
  /** In the file: where the next byte goes, and where the current piece ends. */
  #position = 0
  #pieceEnd = 0
  #pieceIndex = 0

  constructor(sink: TarSink) {
    this.#sink = sink
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#state === 'end') return
      if (this.#left > 0 && (this.#state === 'data' || this.#state === 'extension')) at = this.#take(chunk, at)
      else if (this.#padding > 0 && this.#state === 'header') {
        const skipped = Math.min(this.#padding, chunk.length - at)
        this.#padding -= skipped
        at += skipped
      } else at = this.#gatherBlock(chunk, at)
    }
  }

  /** To be called after the last chunk. @throws {StatusError} if the archive is cut short */
  finish(): void {
    const between = this.#state === 'header' && this.#blockFill === 0 && this.#padding === 0
    const dangling = this.#longPath !== undefined || this.#longLink !== undefined || this.#pax !== NO_RECORDS
    if (this.#state !== 'end' && (!between || dangling)) throw malformed('it ends in the middle of an entry')
  }

  /** Data or extension bytes; as much as the chunk has. */
  #take(chunk: Buffer, at: number): number {
    let count = Math.min(this.#left, chunk.length - at)
    if (this.#state === 'extension') this.#extension.push(Buffer.from(chunk.subarray(at, at + count)))
    else {
      if (this.#sparse !== undefined) {
        if (this.#position === this.#pieceEnd) this.#nextPiece(this.#sparse.pieces)
        count = Math.min(count, this.#pieceEnd - this.#position)
      }
      this.#sink.data(chunk, at, at + count, this.#position)
      this.#position += count
    }
    this.#left -= count
    if (this.#left === 0) {
      if (this.#state === 'extension') this.#endExtension()
      else this.#endEntry()
    }
    return at + count
  }

  #nextPiece(pieces: readonly number[]): void {
    do {
      this.#position = pieces[this.#pieceIndex]!
      this.#pieceEnd = this.#position + pieces[this.#pieceIndex + 1]!
      this.#pieceIndex += 2
    } while (this.#position === this.#pieceEnd)
  }

  #gatherBlock(chunk: Buffer, at: number): number {
    if (this.#blockFill === 0 && chunk.length - at >= BLOCK_BYTES) {
      this.#onBlock(chunk, at)
      return at + BLOCK_BYTES
    }
    const count = Math.min(BLOCK_BYTES - this.#blockFill, chunk.length - at)
    chunk.copy(this.#block, this.#blockFill, at, at + count)
    this.#blockFill += count
    if (this.#blockFill === BLOCK_BYTES) {
      this.#blockFill = 0
      this.#onBlock(this.#block, 0)
    }
    return at + count
  }

  #onBlock(block: Buffer, at: number): void {
    if (this.#state === 'sparse-extension') this.#onSparseExtension(block, at)
    else if (this.#state === 'sparse-map') this.#onSparseMap(block, at)
    else this.#onHeader(block, at)
  }

  #onHeader(block: Buffer, at: number): void {
    if (isZeroBlock(block, at)) {
      if (++this.#zeroBlocks === 2) this.#state = 'end'
      return
    }
    if (this.#zeroBlocks > 0) throw malformed('an entry follows the end')
    const header = parseHeader(block, at)
    if (header.size < 0) throw malformed('an entry has a negative size')
    if (EXTENSION_TYPES.includes(header.typeFlag)) this.#startExtension(header)
    else this.#startEntry(header, block, at)
  }

  #startExtension({ typeFlag, size }: TarHeader): void {
    if (size > MAX_EXTENSION_BYTES) throw malformed('an extended header is too large')
    this.#extensionType = typeFlag
    this.#extension = []
    this.#setLeft(size)
    if (size === 0) this.#endExtension()
    else this.#state = 'extension'
  }

  #endExtension(): void {
    this.#state = 'header'
    const bytes = this.#extension.length === 1 ? this.#extension[0]! : Buffer.concat(this.#extension)
    this.#extension = []
    if (this.#extensionType === 'L') this.#longPath = upToNul(bytes)
    else if (this.#extensionType === 'K') this.#longLink = upToNul(bytes)
    else if (this.#extensionType === 'g') this.#global = merge(this.#global, parsePax(bytes))
    else this.#pax = parsePax(bytes)
  }

  #startEntry(header: TarHeader, block: Buffer, at: number): void {
    const records = this.#global === NO_RECORDS ? this.#pax : merge(this.#global, this.#pax)
    const entry = makeEntry(header, records, this.#longPath, this.#longLink)
    this.#pax = NO_RECORDS
    this.#longPath = undefined
    this.#longLink = undefined
    this.#sparse = undefined
    this.#setLeft(entry.size)
    this.#entry = entry
    if (entry.type !== 'file') this.#begin(entry)
    else if (header.typeFlag === 'S') this.#startOldSparse(block, at)
    else this.#startFile(entry, records)
  }

  #startFile(entry: TarEntry, records: PaxRecords): void {
    const dataMapSize = sparseDataMap(records)
    const map = sparseFromPax(records)
    if (dataMapSize !== undefined) {
      if (entry.size < BLOCK_BYTES) throw malformed('a sparse file without a map')
      this.#sparse = { pieces: [], realSize: dataMapSize }
      this.#sparseText = ''
      this.#state = 'sparse-map'
    } else if (map !== undefined) this.#beginSparse(map)
    else this.#begin(entry)
  }

  #startOldSparse(block: Buffer, at: number): void {
    const pieces = parseSparseBlock(block, at + SPARSE_HEADER.piecesAt, SPARSE_HEADER.pieces)
    this.#sparse = { pieces, realSize: number(block, at + SPARSE_HEADER.realSizeAt, 12) }
    if (block[at + SPARSE_HEADER.extendedAt] !== 0) this.#state = 'sparse-extension'
    else this.#beginSparse(this.#sparse)
  }

  #onSparseExtension(block: Buffer, at: number): void {
    const { pieces } = this.#sparse!
    pieces.push(...parseSparseBlock(block, at, SPARSE_EXTENSION.pieces))
    if (pieces.length * 12 > MAX_EXTENSION_BYTES) throw malformed('a sparse map is too large')
    if (block[at + SPARSE_EXTENSION.extendedAt] === 0) this.#beginSparse(this.#sparse!)
  }

  #onSparseMap(block: Buffer, at: number): void {
    this.#sparseText += block.toString('latin1', at, at + BLOCK_BYTES)
    if (this.#sparseText.length > MAX_EXTENSION_BYTES) throw malformed('a sparse map is too large')
    this.#left -= BLOCK_BYTES
    const pieces = parseSparseDataMap(this.#sparseText)
    if (pieces !== undefined) this.#beginSparse({ pieces, realSize: this.#sparse!.realSize })
    else if (this.#left < BLOCK_BYTES) throw malformed('a sparse map that is cut short')
  }

  #beginSparse(map: SparseMap): void {
    this.#sparse = { pieces: [...validateSparse(map, this.#left).pieces], realSize: map.realSize }
    this.#begin({ ...this.#entry!, size: map.realSize })
  }

  #begin(entry: TarEntry): void {
    this.#position = 0
    this.#pieceEnd = 0
    this.#pieceIndex = 0
    this.#sink.entry(entry)
    if (this.#left === 0) this.#endEntry()
    else this.#state = 'data'
  }

  #endEntry(): void {
    this.#state = 'header'
    this.#sink.endEntry()
  }

  #setLeft(size: number): void {
    this.#left = size
    this.#padding = padding(size)
  }
}

function makeEntry(header: TarHeader, records: PaxRecords, longPath?: string, longLink?: string): TarEntry {
  const field = (name: string) => records.fields.get(name) || undefined
  const path = field('GNU.sparse.name') ?? field('path') ?? longPath ?? header.path
  const linkPath = field('linkpath') ?? longLink ?? header.linkPath
  let type = TYPES[header.typeFlag]
  if (type === undefined) throw malformed(`an entry of unknown type ${JSON.stringify(header.typeFlag)}`)
  // Before POSIX a directory was a file whose name ends in a slash.
  if (header.typeFlag === '\0' && path.endsWith('/')) type = 'directory'
  if (path.includes('\0') || linkPath.includes('\0')) throw malformed('a path with a NUL')
  const mtime = field('mtime')
  const size = field('size')
  return {
    path,
    type,
    mode: header.mode,
    uid: id(field('uid'), header.uid),
    gid: id(field('gid'), header.gid),
    mtime: mtime === undefined ? { seconds: header.mtime, nanoseconds: 0 } : paxTime(mtime),
    // Writers disagree about the size of links and directories; none of them has data.
    size: type !== 'file' ? 0 : size === undefined ? header.size : decimal(size),
    linkPath: type === 'link' || type === 'symlink' ? linkPath : '',
    major: header.major,
    minor: header.minor,
    xattrs: records.xattrs,
  }
}

function id(pax: string | undefined, header: number): number {
  const value = pax === undefined ? header : decimal(pax)
  if (value < 0 || value > MAX_ID) throw malformed(`an owner of ${value}`)
  return value
}

/** `over` wins. Paths and sizes of a global header would name one file for all: they are not taken. */
function merge(under: PaxRecords, over: PaxRecords): PaxRecords {
  const fields = new Map(under.fields)
  for (const name of ['path', 'linkpath', 'size']) fields.delete(name)
  for (const name of fields.keys()) if (name.startsWith('GNU.sparse.')) fields.delete(name)
  for (const [name, value] of over.fields) fields.set(name, value)
  const xattrs = under.xattrs === undefined ? over.xattrs : new Map([...under.xattrs, ...(over.xattrs ?? [])])
  return { fields, xattrs, sparse: over.sparse }
}

function upToNul(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
}
