import { malformed } from './malformed.ts'

export const BLOCK_BYTES = 512

/** A header block as it stands, before pax and GNU extensions. Strings are byte strings. */
export interface TarHeader {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Seconds. */
  readonly mtime: number
  /** One character; NUL for the oldest archives. */
  readonly typeFlag: string
  readonly linkPath: string
  readonly major: number
  readonly minor: number
}

/** POSIX.1-1988 (ustar), GNU and the older v7 layout; `at` is where the block starts. */
export function parseHeader(block: Buffer, at: number): TarHeader {
  verifyChecksum(block, at)
  // "ustar\0" is POSIX, "ustar " GNU, which has other things where POSIX has the prefix.
  const isUstar = block.toString('latin1', at + 257, at + 262) === 'ustar'
  const name = text(block, at, 100)
  const prefix = isUstar && block[at + 262] === 0 ? text(block, at + 345, 155) : ''
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(block, at + 100, 8) & 0o7777,
    uid: number(block, at + 108, 8),
    gid: number(block, at + 116, 8),
    size: number(block, at + 124, 12),
    mtime: number(block, at + 136, 12),
    typeFlag: String.fromCharCode(block[at + 156]!),
    linkPath: text(block, at + 157, 100),
    major: isUstar ? number(block, at + 329, 8) : 0,
    minor: isUstar ? number(block, at + 337, 8) : 0,
  }
}

/** Bytes between `size` bytes of data and the next header. */
export function padding(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES
}

export function isZeroBlock(block: Buffer, at: number): boolean {
  for (let i = at; i < at + BLOCK_BYTES; i++) if (block[i] !== 0) return false
  return true
}

/** Up to the first NUL. */
export function text(block: Buffer, at: number, length: number): string {
  let end = at
  while (end < at + length && block[end] !== 0) end++
  return end === at ? '' : block.toString('latin1', at, end)
}

const SPACE = 0x20
const ZERO = 0x30

/** Octal text, or base-256 if the first bit is set (GNU). Absent is 0. */
export function number(block: Buffer, at: number, length: number): number {
  if (block[at]! >= 0x80) return base256(block, at, length)
  let i = at
  const end = at + length
  while (i < end && (block[i] === SPACE || block[i] === 0)) i++
  let value = 0
  for (; i < end; i++) {
    const byte = block[i]!
    if (byte === SPACE || byte === 0) break
    if (byte < ZERO || byte > ZERO + 7) throw malformed('a header has a number that is not octal')
    value = value * 8 + (byte - ZERO)
  }
  return value
}

/** Big-endian two's complement without its first bit. */
function base256(block: Buffer, at: number, length: number): number {
  const negative = (block[at]! & 0x40) !== 0
  let value = (block[at]! & 0x3f) - (negative ? 0x40 : 0)
  for (let i = at + 1; i < at + length; i++) value = value * 256 + block[i]!
  if (!Number.isSafeInteger(value)) throw malformed('a header has a number that is too large')
  return value
}

const CHECKSUM_AT = 148
const CHECKSUM_BYTES = 8

/** The sum of all bytes, the checksum itself taken as spaces; some old writers summed signed bytes. */
function verifyChecksum(block: Buffer, at: number): void {
  let sum = 0
  let highBytes = 0
  for (let i = at; i < at + BLOCK_BYTES; i++) {
    const byte = block[i]!
    sum += byte
    if (byte >= 0x80) highBytes++
  }
  for (let i = at + CHECKSUM_AT; i < at + CHECKSUM_AT + CHECKSUM_BYTES; i++) {
    const byte = block[i]!
    sum += SPACE - byte
    if (byte >= 0x80) highBytes--
  }
  const stored = number(block, at + CHECKSUM_AT, CHECKSUM_BYTES)
  if (stored !== sum && stored !== sum - highBytes * 256)
    throw malformed('a header has a wrong checksum: it may be compressed, or no tar archive')
}
