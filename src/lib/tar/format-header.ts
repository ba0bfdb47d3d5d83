import type { FileTime } from '../file-time.ts'
import type { TarEntry, TarEntryType } from './entry.ts'
import { BLOCK_BYTES, padding } from './header.ts'

const MAX_PATH_BYTES = 100
/** From here on a size does not fit eleven octal digits, and an owner not seven. */
const OCTAL_LIMIT = 8 ** 11
const MAX_OCTAL_ID = 8 ** 7 - 1

const TYPE_FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

/**
 * The header of a regular file (POSIX.1-1988, ustar), of root and time 0; sizes from 8 GiB on in base 256 as GNU
 * writes them. After it come the data and `padding(size)` zeros; after the last file two blocks of zeros.
 */
export function formatFileHeader(path: string, size: number, mode = 0o644): Buffer {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new RangeError(`"${path}" does not fit a tar header`)
  return headerBlock({ path: Buffer.from(path).toString('latin1'), typeFlag: '0', size, mode })
}

/**
 * The header of any entry, after a pax extended header for what ustar cannot say. Paths and links are byte strings; what is not
 * UTF-8 stays as it is. After it come the data, if it is a file, and `padding(size)` zeros.
 */
export function formatEntry(entry: TarEntry): Buffer {
  const path = entry.type === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path
  const { mtime, linkPath, uid, gid, size } = entry
  const isPlainTime = mtime.nanoseconds === 0 && mtime.seconds >= 0 && mtime.seconds < OCTAL_LIMIT
  const records: [string, string | Buffer][] = []
  if (path.length > MAX_PATH_BYTES) records.push(['path', path])
  if (linkPath.length > MAX_PATH_BYTES) records.push(['linkpath', linkPath])
  if (uid > MAX_OCTAL_ID) records.push(['uid', String(uid)])
  if (gid > MAX_OCTAL_ID) records.push(['gid', String(gid)])
  if (!isPlainTime) records.push(['mtime', timeText(mtime)])
  for (const [name, value] of entry.xattrs ?? []) records.push([`SCHILY.xattr.${name}`, value])
  const header = headerBlock({
    path: path.slice(0, MAX_PATH_BYTES),
    linkPath: linkPath.slice(0, MAX_PATH_BYTES),
    typeFlag: TYPE_FLAGS[entry.type],
    size,
    mode: entry.mode,
    uid: Math.min(uid, MAX_OCTAL_ID),
    gid: Math.min(gid, MAX_OCTAL_ID),
    mtime: isPlainTime ? mtime.seconds : 0,
    major: entry.major,
    minor: entry.minor,
  })
  if (records.length === 0) return header
  const pax = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)))
  const before = headerBlock({ path: 'PaxHeaders', typeFlag: 'x', size: pax.length, mode: 0o644 })
  return Buffer.concat([before, pax, Buffer.alloc(padding(pax.length)), header])
}

interface HeaderFields {
  readonly path: string
  readonly typeFlag: string
  readonly size: number
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly linkPath?: string
  readonly major?: number
  readonly minor?: number
}

function headerBlock(fields: HeaderFields): Buffer {
  const { path, typeFlag, size, mode, uid = 0, gid = 0, mtime = 0, linkPath = '', major = 0, minor = 0 } = fields
  const block = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, at: number, digits: number) =>
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1')
  block.write(path, 0, 'latin1')
  octal(mode, 100, 7)
  octal(uid, 108, 7)
  octal(gid, 116, 7)
  if (size < OCTAL_LIMIT) octal(size, 124, 11)
  else {
    block[124] = 0x80
    block.writeBigUInt64BE(BigInt(size), 128)
  }
  octal(mtime, 136, 11)
  block.write(`        ${typeFlag}`, 148, 'latin1')
  block.write(linkPath, 157, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  if (major > 0 || minor > 0) {
    octal(major, 329, 7)
    octal(minor, 337, 7)
  }
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** `<length> <keyword>=<value>\n`, the length of all of it, its own digits included. */
function paxRecord(key: string, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  const rest = key.length + bytes.length + 3
  let length = rest + 1
  while (length !== rest + String(length).length) length = rest + String(length).length
  return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), bytes, Buffer.from('\n')])
}

/** Decimal, negative before 1970; the fraction counts away from zero, as the sign holds for all of it. */
function timeText({ seconds, nanoseconds }: FileTime): string {
  const isNegative = seconds < 0
  const total = isNegative && nanoseconds > 0 ? seconds + 1 : seconds
  const fraction = isNegative && nanoseconds > 0 ? 1_000_000_000 - nanoseconds : nanoseconds
  const text = String(fraction).padStart(9, '0').replace(/0+$/, '')
  return `${isNegative ? '-' : ''}${Math.abs(total)}${text === '' ? '' : `.${text}`}`
}
