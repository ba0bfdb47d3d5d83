import { StatusError } from '../lib/errors.ts'
import { ByteSource } from './byte-source.ts'

/** One entry of an archive. Its data must be read, or left, before the next entry is asked for. */
export interface ArchiveEntry {
  /** As the archive has it: to be compared, never used as a path. */
  readonly path: string
  readonly isFile: boolean
  readonly size: number
  readonly data: AsyncIterable<Uint8Array>
}

const BLOCK = 512
/** Of one extended header: a pax record or a long name. */
const MAX_EXTENSION_BYTES = 1024 * 1024

/** What an extended header says about the entry after it. */
interface Extension {
  readonly path?: string
  readonly size?: number
}

/**
 * The entries of a tar archive (ustar, pax, GNU) as they come along, in constant memory. Made for archives of blobs: it
 * knows paths and sizes, no owners, links or holes. Reads the stream to its end.
 *
 * @throws {StatusError} `invalid_argument` if it is malformed or cut short
 */
export async function* archiveEntries(tar: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry, void, undefined> {
  await using source = new ByteSource(tar)
  let extension: Extension = {}
  for (;;) {
    const header = parseHeader(await source.take(BLOCK))
    if (header === undefined) break
    if (header.type === 'x' || header.type === 'L') {
      if (header.size > MAX_EXTENSION_BYTES) throw malformed('an extended header is too large')
      const body = await source.take(header.size)
      extension = { ...extension, ...(header.type === 'x' ? parsePax(body) : { path: upToNul(body) }) }
      await source.skip(padding(header.size))
      continue
    }
    const isFile = header.type === '0' || header.type === '\0'
    const path = extension.path ?? header.path
    const size = extension.size ?? header.size
    extension = {}
    const end = source.position + size
    yield { path, isFile, size, data: source.upTo(end) }
    await source.skip(end - source.position + padding(size))
  }
  // Whoever sends the archive wants to be read to the end before being answered.
  await source.drain()
}

/** Undefined for a block of zeros: the end of the archive (POSIX pax, ustar). */
function parseHeader(block: Buffer): { path: string; size: number; type: string } | undefined {
  if (block.every((byte) => byte === 0)) return undefined
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  if (octal(block.subarray(148, 156)) !== sum)
    throw malformed('a checksum is wrong: it may be compressed, or no tar archive')
  const name = upToNul(block.subarray(0, 100))
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? upToNul(block.subarray(345, 500)) : ''
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    size: parseSize(block.subarray(124, 136)),
    type: String.fromCharCode(block[156]!),
  }
}

/** GNU writes sizes from 8 GiB on in base 256. */
function parseSize(field: Buffer): number {
  const size = field[0] === 0x80 ? Number(field.readBigUInt64BE(4)) : octal(field)
  return checkedSize(size)
}

function octal(field: Buffer): number {
  const text = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart()
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN
}

function checkedSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw malformed('a size is not a number of bytes')
  return size
}

/** Records `<length> <key>=<value>\n`; the length counts all of the record. */
function parsePax(body: Buffer): Extension {
  const extension: { path?: string; size?: number } = {}
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at)
    const length = space < 0 ? Number.NaN : Number(body.toString('latin1', at, space))
    const end = at + length
    if (!Number.isInteger(length) || end <= space || end > body.length) throw malformed('a pax header is damaged')
    const record = body.toString('utf8', space + 1, end - 1)
    const equals = record.indexOf('=')
    const value = record.slice(equals + 1)
    if (record.slice(0, equals) === 'path') extension.path = value
    if (record.slice(0, equals) === 'size')
      extension.size = checkedSize(/^\d+$/.test(value) ? Number(value) : Number.NaN)
    at = end
  }
  return extension
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

function upToNul(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

function malformed(why: string): StatusError {
  return new StatusError('invalid_argument', `Malformed tar archive: ${why}`)
}
