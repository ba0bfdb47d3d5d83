import { isDeepStrictEqual } from 'node:util'
import { isObject } from './is-object.ts'
import type { Mark, NumberRules, ObjectRules, Rules, Schema, StringRules } from './schema.ts'

/** What does not fit, and where: `ports[0].host`; empty for the whole. */
export interface Fault {
  readonly path: string
  readonly problem: string
  /** Of an unknown field: what is known in its place. */
  readonly known?: readonly string[]
}

/** A value that is there and marked as ignored. */
export interface Ignored {
  readonly path: string
  readonly mark: Mark
}

export interface Examined<T> {
  /** Without properties that are null and those marked as dropped. What it says it is only if there are no faults. */
  readonly value: T
  /** In the order in which they are found; of very many the first. */
  readonly faults: readonly Fault[]
  readonly ignored: readonly Ignored[]
}

interface ExamineOptions {
  /** An empty text counts as no value for a property that may be absent, as Kubernetes has it. */
  readonly emptyIsAbsent?: boolean
}

interface Place extends ExamineOptions {
  readonly path: string
  readonly faults: Fault[]
  readonly ignored: Ignored[]
}

const MAX_FAULTS = 100

/** All that is wrong with a value, and what of it is marked as ignored. */
export function examine<T>(schema: Schema<T>, value: unknown, options: ExamineOptions = {}): Examined<T> {
  const place: Place = { ...options, path: '', faults: [], ignored: [] }
  return { value: check(schema, value, place) as T, faults: place.faults, ignored: place.ignored }
}

function check(rules: Rules, value: unknown, place: Place): unknown {
  if ('anyOf' in rules) return checkAny(rules.anyOf, value, place)
  if ('enum' in rules) {
    return typeof value === 'string' && rules.enum.includes(value) ? value : mismatch(rules, value, place)
  }
  switch (rules.type) {
    case undefined:
      return value
    case 'string':
      return checkString(rules, value, place)
    case 'integer':
    case 'number':
      return checkNumber(rules, value, place)
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(rules, value, place)
    case 'array':
      if (!Array.isArray(value)) return mismatch(rules, value, place)
      if (value.length > (rules.maxItems ?? Infinity)) {
        return fault(place, `may have at most ${rules.maxItems} entries, not ${value.length}`)
      }
      return value.map((item, index) => check(rules.items, item, { ...place, path: `${place.path}[${index}]` }))
    case 'object':
      return isObject(value) ? checkObject(rules, value, place) : mismatch(rules, value, place)
  }
}

function checkAny(choices: readonly Rules[], value: unknown, place: Place): unknown {
  const fitting = choices.find((choice) => admitsKind(choice, value))
  if (fitting === undefined) return fault(place, `must be ${choices.map(describe).join(' or ')}, not ${kindOf(value)}`)
  return check(fitting, value, place)
}

function admitsKind(rules: Rules, value: unknown): boolean {
  if ('anyOf' in rules) return rules.anyOf.some((choice) => admitsKind(choice, value))
  if ('enum' in rules || rules.type === 'string') return typeof value === 'string'
  if (rules.type === 'integer' || rules.type === 'number') return typeof value === 'number'
  if (rules.type === 'array') return Array.isArray(value)
  if (rules.type === undefined) return true
  return rules.type === 'object' ? isObject(value) : typeof value === rules.type
}

function checkString(rules: StringRules, value: unknown, place: Place): unknown {
  if (typeof value !== 'string') return mismatch(rules, value, place)
  // No system call takes such a text, and no format that we write may carry it.
  if (value.includes('\0')) return fault(place, 'must not contain a NUL character')
  if (value.length < (rules.minLength ?? 0)) return fault(place, 'must not be empty')
  if (value.length > (rules.maxLength ?? Infinity))
    return fault(place, `may have at most ${rules.maxLength} characters`)
  if (rules.pattern !== undefined && !new RegExp(rules.pattern, 'u').test(value)) {
    return fault(place, `must be ${describe(rules)}, not ${JSON.stringify(value.slice(0, 100))}`)
  }
  return value
}

function checkNumber(rules: NumberRules, value: unknown, place: Place): unknown {
  if (typeof value !== 'number' || (rules.type === 'integer' && !Number.isSafeInteger(value))) {
    return mismatch(rules, value, place)
  }
  if (value < (rules.minimum ?? -Infinity)) return fault(place, `must be at least ${rules.minimum}, not ${value}`)
  if (value > (rules.maximum ?? Infinity)) return fault(place, `must be at most ${rules.maximum}, not ${value}`)
  return value
}

function checkObject(rules: ObjectRules, value: Readonly<Record<string, unknown>>, place: Place): unknown {
  const known = rules.properties ?? {}
  const at = (key: string): Place => ({ ...place, path: place.path === '' ? key : `${place.path}.${key}` })
  const entries = Object.entries(value).filter(([key, item]) => {
    if (Object.hasOwn(known, key)) return item !== null && !(item === '' && isEmptyAbsent(rules, key, place))
    if (rules.additionalProperties !== false) return item !== null
    unknownField(rules, at(key))
    return false
  })
  const present = new Set(entries.map(([key]) => key))
  const missing = rules.required?.find((key) => !present.has(key))
  if (missing !== undefined) fault(at(missing), 'is missing')
  const schemaOf = (key: string) => (Object.hasOwn(known, key) ? known[key]! : (rules.additionalProperties as Rules))
  return Object.fromEntries(
    entries.flatMap(([key, item]) => {
      const mark = markOf(rules, key, item)
      if (mark === undefined) return [[key, check(schemaOf(key), item, at(key))]]
      if (mark.verdict === 'dropped') return []
      if (mark.verdict === 'refused') return [[key, fault(at(key), `is not supported: ${mark.why}`)]]
      place.ignored.push({ path: at(key).path, mark })
      // What is below goes with it.
      return [[key, check(schemaOf(key), item, { ...at(key), ignored: [] })]]
    }),
  )
}

function isEmptyAbsent({ properties = {}, required = [] }: ObjectRules, key: string, place: Place): boolean {
  const rules = properties[key]!
  const isText = 'enum' in rules ? !rules.enum.includes('') : 'type' in rules && rules.type === 'string'
  return place.emptyIsAbsent === true && isText && !required.includes(key)
}

function markOf(rules: ObjectRules, key: string, value: unknown): Mark | undefined {
  if (rules.marks === undefined || !Object.hasOwn(rules.marks, key)) return undefined
  return markFor(rules.marks[key]!, value)
}

/** The first mark that is said of that value. */
export function markFor(marks: readonly Mark[], value: unknown): Mark | undefined {
  const isIn = (values: readonly unknown[]) => values.some((other) => isDeepStrictEqual(other, value))
  return marks.find(({ verdict, only, except = [] }) =>
    only === undefined ? !isIn([...except, ...ASKS_FOR_NOTHING[verdict]]) : isIn(only),
  )
}

/** Values that say nothing which could be missed. `{}` may stand for much: `emptyDir: {}`. */
const ASKS_FOR_NOTHING: Readonly<Record<Mark['verdict'], readonly unknown[]>> = {
  ignored: [false, '', [], {}],
  refused: [false, '', []],
  dropped: [],
}

function unknownField(rules: ObjectRules, place: Place): void {
  report(place, { path: place.path, problem: 'is unknown', known: Object.keys(rules.properties ?? {}) })
}

function mismatch(rules: Rules, value: unknown, place: Place): unknown {
  return fault(place, `must be ${describe(rules)}, not ${kindOf(value)}`)
}

function fault(place: Place, problem: string): undefined {
  report(place, { path: place.path, problem })
}

function report({ faults }: Place, fault: Fault): void {
  if (faults.length < MAX_FAULTS) faults.push(fault)
}

function describe(rules: Rules): string {
  if ('anyOf' in rules) return rules.anyOf.map(describe).join(' or ')
  if ('enum' in rules) return `one of ${rules.enum.filter((word) => word !== '').join(', ')}`
  switch (rules.type) {
    case undefined:
      return 'anything'
    case 'string':
      return rules.description ?? 'a string'
    case 'integer':
      return 'an integer'
    case 'number':
      return 'a number'
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    case 'object':
      return 'an object'
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100))
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value === undefined ? 'nothing' : 'an object'
}
