import { StatusError } from './errors.ts'
import { examine, type Fault } from './examine.ts'

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
  /**
   * How a change is merged into a list: as a set, or entry by entry, where entries with the same values of these fields
   * are one; `defaults` are the values of those that may be absent. Absent: it replaces the list. To others who read the
   * schema an annotation.
   */
  readonly merge?: 'set' | { readonly keys: readonly string[]; readonly defaults?: Readonly<Record<string, unknown>> }
}

/** That a property is known, and yet not done as it says. */
export interface Mark {
  /** Dropped: ignored without a word. */
  readonly verdict: 'ignored' | 'refused' | 'dropped'
  readonly why?: string
  /** The values that this is said of. Absent: all but `except`, and but what asks for nothing: `false`, `""`, `[]`. */
  readonly only?: readonly unknown[]
  readonly except?: readonly unknown[]
}

export interface ObjectRules {
  readonly type: 'object'
  readonly properties?: Readonly<Record<string, Rules>>
  readonly required?: readonly string[]
  /** `false`, or the schema of the values of a map. */
  readonly additionalProperties: false | Rules
  /** By property; of optional ones only. To others who read the schema an annotation. */
  readonly marks?: Readonly<Record<string, readonly Mark[]>>
  /** A change replaces the whole. Absent: it is merged into it, property by property. To others an annotation. */
  readonly merge?: 'atomic'
}

/** Anything at all. */
export interface AnyRules {
  readonly type?: undefined
}

export type Rules =
  | StringRules
  | NumberRules
  | { readonly type: 'boolean' }
  | { readonly enum: readonly string[] }
  | ArrayRules
  | ObjectRules
  | AnyRules
  | { readonly anyOf: readonly Rules[] }

type MarkedValues = Pick<Mark, 'only' | 'except'>

interface Optional<T> {
  readonly optional: Schema<T>
  readonly marks: readonly Mark[]
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

export function array<T>(items: Schema<T>, rules: Pick<ArrayRules, 'maxItems' | 'merge'> = {}): Schema<readonly T[]> {
  return { type: 'array', items, ...rules }
}

export function map<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { type: 'object', additionalProperties: values }
}

/** An object, or a map, that a change replaces as a whole. */
export function atomic<T extends object>(schema: Schema<T>): Schema<T> {
  return { ...schema, merge: 'atomic' } as Schema<T>
}

export function anyOf<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return { anyOf: [first, second] }
}

/** Any JSON. */
export function anything(): Schema<unknown> {
  return {}
}

/** A property that may be absent; `null` counts as absent. */
export function optional<T>(schema: Schema<T>, ...marks: readonly Mark[]): Optional<T> {
  return { optional: schema, marks }
}

/** Known, but nothing is done about it yet, or ever. */
export function ignored(why?: string, values: MarkedValues = {}): Mark {
  return { verdict: 'ignored', ...(why !== undefined && { why }), ...values }
}

/** Known, but what it asks for cannot be had, and the rest is not to be had without it. */
export function refused(why: string, values: MarkedValues = {}): Mark {
  return { verdict: 'refused', why, ...values }
}

/** May be there, is not looked at, and is not in what a check returns. */
export function dropped(why: string): Mark {
  return { verdict: 'dropped', why }
}

/** Properties that are not named are refused. */
export function object<const P extends Properties>(properties: P): Schema<ObjectOf<P>> {
  const entries = Object.entries(properties)
  const marks = entries.flatMap(([key, value]) =>
    isOptional(value) && value.marks.length > 0 ? [[key, value.marks] as const] : [],
  )
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([key, value]) => [key, isOptional(value) ? value.optional : value])),
    required: entries.filter(([, value]) => !isOptional(value)).map(([key]) => key),
    additionalProperties: false,
    ...(marks.length > 0 && { marks: Object.fromEntries(marks) }),
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
  const { value: checked, faults } = examine(schema, value)
  const [fault] = faults
  if (fault !== undefined) throw new StatusError('invalid_argument', messageOf(fault, what))
  return checked
}

function messageOf({ path, problem, known }: Fault, what: string): string {
  if (known === undefined) return path === '' ? `${what} ${problem}` : `${what}: "${path}" ${problem}`
  const short = path.length > 100 ? `${path.slice(0, 100)}...` : path
  return `${what} has an unknown field "${short}"; known are: ${known.join(', ') || 'none'}`
}
