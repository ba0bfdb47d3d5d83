import { BLOCK_BYTES, isZeroBlock, padding, parseHeader } from '../lib/tar/header.ts'
import { malformed } from '../lib/tar/malformed.ts'
import { decimal, parsePax } from '../lib/tar/pax.ts'
import { ByteSource } from './byte-source.ts'

/** One entry of an archive. Its data must be read, or left, before the next entry is asked for. */
export interface ArchiveEntry {
  /** As the archive has it: to be compared, never used as a path. */
  readonly path: string
  readonly type: 'file' | 'link' | 'symlink' | 'other'
  /** Of links and symlinks, else empty. */
  readonly linkPath: string
  /** 0 for all that has no data. */
  readonly size: number
  readonly data: AsyncIterable<Uint8Array>
}

/** Of one extended header: a pax record or a long name. */
const MAX_EXTENSION_BYTES = 1024 * 1024

const TYPES: Readonly<Record<string, ArchiveEntry['type']>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
}
/** Links, devices, directories and FIFOs: whatever size their headers tell, no data follows. */
const WITHOUT_DATA = '123456'
/** A pax header, and GNU's long path and link. */
const EXTENSION_TYPES = 'xLK'

/** What extended headers say about the entry after them. */
interface Extension {
  readonly path?: string
  readonly linkPath?: string
  readonly size?: number
}

/**
 * The entries of a tar archive (ustar, pax, GNU) as they come along, in constant memory. Made for archives of blobs: it
 * knows paths, sizes and links, no owners or holes. Reads the stream to its end.
 *
 * @throws {StatusError} `invalid_argument` if it is malformed or cut short
 */
export async function* archiveEntries(tar: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry, void, undefined> {
  await using source = new ByteSource(tar)
  let extension: Extension = {}
  for (;;) {
    const block = await source.take(BLOCK_BYTES)
    if (isZeroBlock(block, 0)) break
    const header = parseHeader(block, 0)
    const { typeFlag } = header
    if (EXTENSION_TYPES.includes(typeFlag)) {
      if (header.size < 0 || header.size > MAX_EXTENSION_BYTES) throw malformed('an extended header is too large')
      extension = { ...extension, ...parseExtension(typeFlag, await source.take(header.size)) }
      await source.skip(padding(header.size))
      continue
    }
    const size = WITHOUT_DATA.includes(typeFlag) ? 0 : (extension.size ?? header.size)
    if (size < 0) throw malformed('an entry has a negative size')
    const end = source.position + size
    yield {
      path: extension.path ?? utf8(header.path),
      type: TYPES[typeFlag] ?? 'other',
      linkPath: extension.linkPath ?? utf8(header.linkPath),
      size,
      data: source.upTo(end),
    }
    extension = {}
    await source.skip(end - source.position + padding(size))
  }
  // Whoever sends the archive wants to be read to the end before being answered.
  await source.drain()
}

function parseExtension(typeFlag: string, body: Buffer): Extension {
  if (typeFlag === 'L') return { path: upToNul(body) }
  if (typeFlag === 'K') return { linkPath: upToNul(body) }
  const { fields } = parsePax(body)
  const [path, linkPath, size] = [fields.get('path'), fields.get('linkpath'), fields.get('size')]
  return {
    ...(path && { path: utf8(path) }),
    ...(linkPath && { linkPath: utf8(linkPath) }),
    ...(size && { size: decimal(size) }),
  }
}

/** Headers are byte strings, one character a byte. */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function upToNul(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}
