import { messageOf, StatusError } from '../lib/errors.ts'
import { parseBytes } from '../model/quantity.ts'
import { parseDuration } from './duration.ts'
import { type Fault, quoted, type Warning } from './faults.ts'
import type { Count, Truth } from './project.ts'
import type { Path } from './tree.ts'

/** Where something is read, and who is told what is wrong with it. */
export interface At {
  readonly path: Path
  readonly faults: Fault[]
  readonly warnings: Warning[]
}

const MAX_FAULTS = 1000

export function below(at: At, ...steps: Path): At {
  return { ...at, path: [...at.path, ...steps] }
}

export function fault({ path, faults }: At, problem: string): undefined {
  if (faults.length < MAX_FAULTS) faults.push({ path, problem })
}

export function warn({ path, warnings }: At, problem: string): undefined {
  warnings.push({ path, problem })
}

/** What a parser of the model says, where it says it is wrong. */
export function attempt<T>(at: At, make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return fault(at, `: ${messageOf(error)}`)
  }
}

/** As Go's yaml.v3 and compose-go have them. */
const WORDS: Readonly<Record<string, boolean>> = {
  ...{ true: true, yes: true, y: true, on: true, '1': true },
  ...{ false: false, no: false, n: false, off: false, '0': false },
}

export function truth(at: At, value: Truth | undefined): boolean | undefined {
  if (typeof value !== 'string') return value
  const word = value.toLowerCase()
  return Object.hasOwn(WORDS, word) ? WORDS[word] : fault(at, `must be true or false, not ${quoted(value)}`)
}

/** `true`, or nothing. */
export function yes(at: At, value: Truth | undefined): true | undefined {
  return truth(at, value) === true || undefined
}

export function number(at: At, value: Count | undefined): number | undefined {
  if (typeof value !== 'string') return value
  return /^-?\d{1,15}(?:\.\d{1,9})?$/.test(value) ? Number(value) : fault(at, `must be a number, not ${quoted(value)}`)
}

export function integer(at: At, value: Count | undefined, from: number, to: number): number | undefined {
  const read = number(at, value)
  if (read === undefined || (Number.isInteger(read) && read >= from && read <= to)) return read
  return fault(at, `must be an integer from ${from} to ${to}, not ${read}`)
}

/** 0 is no limit. */
export function bytes(at: At, value: Count | undefined): number | undefined {
  if (value === undefined) return undefined
  return attempt(at, () => parseBytes('size', String(value))) || undefined
}

export function milliseconds(at: At, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  return parseDuration(value) ?? fault(at, `must be a duration such as 1m30s, not ${quoted(value)}`)
}
