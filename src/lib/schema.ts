import { StatusError } from './errors.ts'

declare const admits: unique symbol

/**
 * A JSON Schema (2020-12), of the few keywords this project needs, that carries the TypeScript type of what it
 * admits. One schema gives the check, the type and, printed as it is, the documentation.
 */
export type Schema<T> = Rules & { readonly [admits]?: T }
/** The type of what a schema admits. */
export type Static<S> = S extends { readonly [admits]?: infer T } ? T : never

export interface StringRules {
  readonly type: 'string'
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  /** What a text that fits is, for messages: `an absolute path`. */
  readonly description?: string
}

export interface NumberRules {
  readonly type: 'integer' | 'number'
  readonly minimum?: number
  readonly maximum?: number
}

export interface ArrayRules {
  readonly type: 'array'
  readonly items: Rules
  readonly maxItems?: number
}

export interface ObjectRules {
  readonly type: 'object'
  readonly properties?: Readonly<Record<string, Rules>>
  readonly required?: readonly string[]
  /** `false`, or the schema of the values of a map. */
  readonly additionalProperties: false | Rules
}

export type Rules =
  | StringRules
  | NumberRules
  | { readonly type: 'boolean' }
  | { readonly enum: readonly string[] }
  | ArrayRules
  | ObjectRules
  | { readonly anyOf: readonly Rules[] }

interface Optional<T> {
  readonly optional: Schema<T>
}
type Properties = Readonly<Record<string, Rules | Optional<unknown>>>
type ObjectOf<P extends Properties> = {
  readonly [K in keyof P as P[K] extends Optional<unknown> ? never : K]: Static<P[K]>
} & {
  readonly [K in keyof P as P[K] extends Optional<unknown> ? K : never]?: P[K] extends Optional<infer T> ? T : never
}

export function string(rules: Omit<StringRules, 'type'> = {}): Schema<string> {
  return { type: 'string', ...rules }
}

export function integer(rules: Omit<NumberRules, 'type'> = {}): Schema<number> {
  return { type: 'integer', ...rules }
}

export function number(rules: Omit<NumberRules, 'type'> = {}): Schema<number> {
  return { type: 'number', ...rules }
}

export function boolean(): Schema<boolean> {
  return { type: 'boolean' }
}

export function oneOf<const T extends string>(...values: readonly T[]): Schema<T> {
  return { enum: values }
}

export function array<T>(items: Schema<T>, rules: { readonly maxItems?: number } = {}): Schema<readonly T[]> {
  return { type: 'array', items, ...rules }
}

export function map<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { type: 'object', additionalProperties: values }
}

export function anyOf<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return { anyOf: [first, second] }
}

/** A property that may be absent; `null` counts as absent. */
export function optional<T>(schema: Schema<T>): Optional<T> {
  return { optional: schema }
}

/** Properties that are not named are refused. */
export function object<const P extends Properties>(properties: P): Schema<ObjectOf<P>> {
  const entries = Object.entries(properties)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([key, value]) => [key, isOptional(value) ? value.optional : value])),
    required: entries.filter(([, value]) => !isOptional(value)).map(([key]) => key),
    additionalProperties: false,
  }
}

function isOptional(value: Rules | Optional<unknown>): value is Optional<unknown> {
  return 'optional' in value
}

/**
 * Checks a value and returns it, without the properties that are null. `what` names the whole in messages:
 * `The request`.
 * @throws {StatusError} `invalid_argument`, naming the place: `The request: "command[1]" must be a string, not 5`
 */
export function parse<T>(schema: Schema<T>, value: unknown, what: string): T {
  return check(schema, value, { what, path: '' }) as T
}

interface Place {
  readonly what: string
  /** `ports[0].host`; empty for the whole. */
  readonly path: string
}

function check(rules: Rules, value: unknown, place: Place): unknown {
  if ('anyOf' in rules) return checkAny(rules.anyOf, value, place)
  if ('enum' in rules) {
    if (typeof value !== 'string' || !rules.enum.includes(value)) throw mismatch(rules, value, place)
    return value
  }
  switch (rules.type) {
    case 'string':
      return checkString(rules, value, place)
    case 'integer':
    case 'number':
      return checkNumber(rules, value, place)
    case 'boolean':
      if (typeof value !== 'boolean') throw mismatch(rules, value, place)
      return value
    case 'array':
      if (!Array.isArray(value)) throw mismatch(rules, value, place)
      if (value.length > (rules.maxItems ?? Infinity)) {
        throw fault(place, `may have at most ${rules.maxItems} entries, not ${value.length}`)
      }
      return value.map((item, index) => check(rules.items, item, { ...place, path: `${place.path}[${index}]` }))
    case 'object':
      return checkObject(rules, value, place)
  }
}

function checkAny(choices: readonly Rules[], value: unknown, place: Place): unknown {
  const fitting = choices.find((choice) => admitsKind(choice, value))
  if (fitting === undefined) throw fault(place, `must be ${choices.map(describe).join(' or ')}, not ${kindOf(value)}`)
  return check(fitting, value, place)
}

function admitsKind(rules: Rules, value: unknown): boolean {
  if ('anyOf' in rules) return rules.anyOf.some((choice) => admitsKind(choice, value))
  if ('enum' in rules || rules.type === 'string') return typeof value === 'string'
  if (rules.type === 'integer' || rules.type === 'number') return typeof value === 'number'
  if (rules.type === 'array') return Array.isArray(value)
  return rules.type === 'object' ? isObject(value) : typeof value === rules.type
}

function checkString(rules: StringRules, value: unknown, place: Place): string {
  if (typeof value !== 'string') throw mismatch(rules, value, place)
  // No system call takes such a text, and no format that we write may carry it.
  if (value.includes('\0')) throw fault(place, 'must not contain a NUL character')
  if (value.length < (rules.minLength ?? 0)) throw fault(place, 'must not be empty')
  if (value.length > (rules.maxLength ?? Infinity)) throw fault(place, `may have at most ${rules.maxLength} characters`)
  if (rules.pattern !== undefined && !new RegExp(rules.pattern, 'u').test(value)) {
    throw fault(place, `must be ${describe(rules)}, not ${JSON.stringify(value.slice(0, 100))}`)
  }
  return value
}

function checkNumber(rules: NumberRules, value: unknown, place: Place): number {
  if (typeof value !== 'number' || (rules.type === 'integer' && !Number.isSafeInteger(value))) {
    throw mismatch(rules, value, place)
  }
  if (value < (rules.minimum ?? -Infinity)) throw fault(place, `must be at least ${rules.minimum}, not ${value}`)
  if (value > (rules.maximum ?? Infinity)) throw fault(place, `must be at most ${rules.maximum}, not ${value}`)
  return value
}

function checkObject(rules: ObjectRules, value: unknown, place: Place): unknown {
  if (!isObject(value)) throw mismatch(rules, value, place)
  const known = rules.properties ?? {}
  const at = (key: string): Place => ({ ...place, path: place.path === '' ? key : `${place.path}.${key}` })
  const entries = Object.entries(value).filter(([key, item]) => {
    if (!Object.hasOwn(known, key) && rules.additionalProperties === false) throw unknownField(rules, at(key))
    return item !== null
  })
  const present = new Set(entries.map(([key]) => key))
  const missing = rules.required?.find((key) => !present.has(key))
  if (missing !== undefined) throw fault(at(missing), 'is missing')
  const schemaOf = (key: string) => (Object.hasOwn(known, key) ? known[key]! : (rules.additionalProperties as Rules))
  return Object.fromEntries(entries.map(([key, item]) => [key, check(schemaOf(key), item, at(key))]))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unknownField(rules: ObjectRules, place: Place): StatusError {
  const known = Object.keys(rules.properties ?? {}).join(', ')
  const path = place.path.length > 100 ? `${place.path.slice(0, 100)}...` : place.path
  return new StatusError(
    'invalid_argument',
    `${place.what} has an unknown field "${path}"; known are: ${known || 'none'}`,
  )
}

function mismatch(rules: Rules, value: unknown, place: Place): StatusError {
  return fault(place, `must be ${describe(rules)}, not ${kindOf(value)}`)
}

function fault({ what, path }: Place, problem: string): StatusError {
  return new StatusError('invalid_argument', path === '' ? `${what} ${problem}` : `${what}: "${path}" ${problem}`)
}

function describe(rules: Rules): string {
  if ('anyOf' in rules) return rules.anyOf.map(describe).join(' or ')
  if ('enum' in rules) return `one of ${rules.enum.join(', ')}`
  switch (rules.type) {
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
