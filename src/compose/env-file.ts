import { messageOf, StatusError } from '../lib/errors.ts'
import { quoted } from './faults.ts'
import { interpolate, type Variables } from './interpolate.ts'

const MAX_BYTES = 1024 * 1024
const MAX_VALUES = 4 * MAX_BYTES

const BLANK = /(?:\s+|#[^\n]*)*/y
const KEY = /(?:export[ \t]+)?(?<key>[\p{L}\p{N}_.[\]-]+)[ \t]*(?:[=:](?<space>[ \t]*)|(?=\r?\n)|$)/uy
const LINE = /[^\n]*/y
const AFTER_QUOTE = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y
const ESCAPE = /\\(0[0-7]{0,3}|[\s\S])/g
const ESCAPED: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '"': '"' },
  // For the interpolation that follows.
  $: '$$',
}

/**
 * The variables of an .env file in docker compose's dialect: `export`, comments, quotes over several lines, escapes, and
 * interpolation outside single quotes. A name without a value has that of `variables`, or is left out, as are names
 * that begin with a digit.
 * @throws {StatusError} `invalid_argument` with the line
 */
export function parseEnvFile(text: string, name: string, variables: Variables): Map<string, string> {
  const source = checked(text, name)
  const found = new Map<string, string>()
  const lookUp: Variables = (variable) => variables(variable) ?? found.get(variable)
  let at = 0
  let size = 0
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at
    const match = pattern.exec(source)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  const fail = (problem: string, offset = at) => faultAt(source, name, offset, problem)

  const expand = (value: string, offset: number) => {
    try {
      return interpolate(value, lookUp)
    } catch (error) {
      throw fail(`the value ${messageOf(error)}`, offset)
    }
  }

  /** After its key; up to the end of its line. */
  const takeValue = (isSpaced: boolean): string => {
    const start = at
    const quote = source[start]
    if (quote !== '"' && quote !== "'") return expand(withoutComment(take(LINE)![0], isSpaced), start)
    const end = closingQuote(source, start + 1, quote)
    if (end < 0) throw fail(`the quote ${quote} is not closed`, start)
    const inner = source.slice(start + 1, end)
    at = end + 1
    if (take(AFTER_QUOTE) === null) throw fail('there is something behind the quote')
    return quote === "'" ? inner.replaceAll("\\'", "'") : expand(withoutEscapes(inner), start)
  }

  for (take(BLANK); at < source.length; take(BLANK)) {
    const start = at
    const { key, space } = take(KEY)?.groups ?? {}
    if (key === undefined) throw fail(`${quoted(take(LINE)![0])} is not NAME=value`, start)
    const value = space === undefined ? variables(key) : takeValue(space !== '')
    size += value?.length ?? 0
    if (size > MAX_VALUES) throw fail('all values together are too large')
    if (value !== undefined && !/^\d/.test(key)) found.set(key, value)
  }
  return found
}

/** `format: raw`: each value is what is behind the `=`. @throws {StatusError} `invalid_argument` with the line */
export function parseRawEnvFile(text: string, name: string, variables: Variables): Map<string, string> {
  const found = new Map<string, string>()
  for (const [index, line] of checked(text, name).split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const [, key = '', value] = /^\s*([^=\s]*)(?:=(.*))?$/.exec(line) ?? []
    if (key === '') throw lineFault(name, index + 1, `${quoted(line)} is not NAME=value`)
    const own = value ?? variables(key)
    if (own !== undefined) found.set(key, own)
  }
  return found
}

function checked(text: string, name: string): string {
  if (Buffer.byteLength(text) > MAX_BYTES) throw refused(`${name} is too large: at most ${MAX_BYTES / 1024 / 1024} MiB`)
  if (text.includes('\0')) throw refused(`${name} must not contain a NUL character`)
  return text.replace(/^\uFEFF/, '')
}

/** A comment needs a space before it. */
function withoutComment(line: string, isSpaced: boolean): string {
  const spaced = isSpaced ? ` ${line}` : line
  const comment = spaced.search(/\s#/)
  return (comment < 0 ? spaced : spaced.slice(0, comment)).trim()
}

/** The quote that has no backslash before it; -1 if there is none. */
function closingQuote(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === quote) return at
  }
  return -1
}

/** As a shell's `echo`; what is no escape stays. */
function withoutEscapes(text: string): string {
  return text.replaceAll(ESCAPE, (whole, code: string) =>
    code.length > 1 ? String.fromCharCode(Number.parseInt(code, 8) & 0xff) : (ESCAPED[code] ?? whole),
  )
}

function faultAt(text: string, name: string, offset: number, problem: string): StatusError {
  return lineFault(name, text.slice(0, offset).split('\n').length, problem)
}

function lineFault(name: string, line: number, problem: string): StatusError {
  return refused(`${name}, line ${line}: ${problem}`)
}

function refused(problem: string): StatusError {
  return new StatusError('invalid_argument', problem)
}
