import { malformed } from './malformed.ts'

/** The records of a pax extended header (POSIX pax, "pax Extended Header"). */
export interface PaxRecords {
  /** Keyword to value, a byte string; an empty value unsets what a global header set. */
  readonly fields: ReadonlyMap<string, string>
  /** From `SCHILY.xattr.<name>`; undefined if there is none. */
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined
  /** Offsets and lengths by turns, from the repeated records of GNU sparse format 0.0. */
  readonly sparse: readonly number[]
}

const XATTR = 'SCHILY.xattr.'
const SPACE = 0x20
const NEWLINE = 0x0a

/** Each record is `<length> <keyword>=<value>\n`, the length of all of it in decimal. */
export function parsePax(bytes: Buffer): PaxRecords {
  const fields = new Map<string, string>()
  const xattrs = new Map<string, Buffer>()
  const sparse: number[] = []
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(SPACE, at)
    const length = space < 0 ? 0 : decimal(bytes.toString('latin1', at, space))
    const end = at + length
    if (end <= space + 1 || end > bytes.length || bytes[end - 1] !== NEWLINE) throw malformed('a bad pax record')
    const equals = bytes.indexOf('=', space)
    if (equals < 0 || equals >= end) throw malformed('a pax record without "="')
    const key = bytes.toString('latin1', space + 1, equals)
    if (key.startsWith(XATTR)) {
      xattrs.set(key.slice(XATTR.length), Buffer.from(bytes.subarray(equals + 1, end - 1)))
    } else {
      const value = bytes.toString('latin1', equals + 1, end - 1)
      fields.set(key, value)
      if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparse.push(decimal(value))
    }
    at = end
  }
  return { fields, xattrs: xattrs.size === 0 ? undefined : xattrs, sparse }
}

/** @throws {StatusError} `invalid_argument` for anything but decimal digits of a safe integer */
export function decimal(value: string): number {
  const result = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(result)) throw malformed(`"${value.slice(0, 40)}" is not a number`)
  return result
}
