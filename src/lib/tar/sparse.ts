import { number } from './header.ts'
import { malformed } from './malformed.ts'
import { decimal, type PaxRecords } from './pax.ts'

/**
 * Where a sparse file has data: offsets and lengths by turns, rising. The archive stores only these pieces, in a row.
 * The four formats (GNU tar manual, "Storing Sparse Files") differ in where this map is.
 */
export interface SparseMap {
  readonly pieces: readonly number[]
  readonly realSize: number
}

/** @throws {StatusError} `invalid_argument` unless the pieces rise, fit the file and are `storedBytes` together */
export function validateSparse(map: SparseMap, storedBytes: number): SparseMap {
  if (map.pieces.length % 2 !== 0) throw malformed('a sparse map with an offset but no length')
  let end = 0
  let total = 0
  for (let i = 0; i < map.pieces.length; i += 2) {
    const offset = map.pieces[i]!
    const length = map.pieces[i + 1]!
    if (offset < end || length < 0 || offset + length > map.realSize) throw malformed('a sparse map that overlaps')
    end = offset + length
    total += length
  }
  if (total !== storedBytes) throw malformed('a sparse map that does not fit the data stored')
  return map
}

/** Formats 0.0 and 0.1: in the pax records. Undefined for other files, and for 1.0, where the data starts with it. */
export function sparseFromPax({ fields, sparse }: PaxRecords): SparseMap | undefined {
  const realSize = fields.get('GNU.sparse.size')
  if (realSize === undefined) return undefined
  const map = fields.get('GNU.sparse.map')
  const pieces = map === undefined ? sparse : map === '' ? [] : map.split(',').map(decimal)
  return { pieces, realSize: decimal(realSize) }
}

/** The real size, if it is format 1.0. */
export function sparseDataMap({ fields }: PaxRecords): number | undefined {
  if (fields.get('GNU.sparse.major') !== '1' || fields.get('GNU.sparse.minor') !== '0') return undefined
  return decimal(fields.get('GNU.sparse.realsize') ?? '')
}

/**
 * Format 1.0: the count of pieces, then each offset and length, every number on a line of its own.
 *
 * @returns undefined while `text` does not hold all of it
 */
export function parseSparseDataMap(text: string): readonly number[] | undefined {
  const lines = text.split('\n')
  // What follows the last newline is padding, or a number cut in two.
  if (lines.length < 2) return undefined
  const count = decimal(lines[0]!)
  if (lines.length - 1 < 1 + 2 * count) return undefined
  return lines.slice(1, 1 + 2 * count).map(decimal)
}

const PIECE_BYTES = 24

/** The old GNU format (type `S`): 4 pieces in the header block at 386, then 21 in each extension block from 0. */
export function parseSparseBlock(block: Buffer, at: number, count: number): number[] {
  const pieces: number[] = []
  for (let i = 0; i < count; i++) {
    const piece = at + i * PIECE_BYTES
    if (block[piece] === 0) break
    pieces.push(number(block, piece, 12), number(block, piece + 12, 12))
  }
  return pieces
}

export const SPARSE_HEADER = { piecesAt: 386, pieces: 4, extendedAt: 482, realSizeAt: 483 }
export const SPARSE_EXTENSION = { pieces: 21, extendedAt: 504 }
