import { StatusError } from '../../../lib/errors.ts'
import { isObject } from '../../../lib/is-object.ts'
import { type FieldSet, NO_FIELDS, union } from './field-set.ts'
import { parseElement } from './path-element.ts'

/**
 * A set of field paths as Kubernetes writes it (metav1.FieldsV1). A path element leads to those that follow it; one
 * that none follows ends a path of the set, and so does one with a `.` below it.
 */
export interface FieldsV1 {
  readonly [element: string]: FieldsV1
}

/** Deeper than any field of any kind; it is there for what a client makes up. */
const MAX_DEPTH = 100

/** In one order, whatever the set was made of. */
export function toFieldsV1({ member, children }: FieldSet): FieldsV1 {
  const below = [...children]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => [key, toFieldsV1(child)] as const)
  return Object.fromEntries(member && below.length > 0 ? [['.', {}], ...below] : below)
}

/** @throws {StatusError} `invalid_argument` */
export function fromFieldsV1(fields: unknown): FieldSet {
  return { ...read(fields, 0), member: false }
}

function read(fields: unknown, depth: number): FieldSet {
  if (!isObject(fields)) throw malformed('is not made of objects')
  if (depth > MAX_DEPTH) throw malformed('is too deep')
  const entries = Object.entries(fields)
  const children = new Map<string, FieldSet>()
  for (const [text, child] of entries) {
    if (text === '.') continue
    const element = parseElement(text)
    if (element === undefined) throw malformed(`has ${JSON.stringify(text.slice(0, 100))}, which is no path element`)
    // Two spellings of one element are one.
    children.set(element, union(children.get(element) ?? NO_FIELDS, read(child, depth + 1)))
  }
  return { member: children.size === 0 || Object.hasOwn(fields, '.'), children }
}

function malformed(problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid managedFields: a fieldsV1 ${problem}`)
}
