import { isObject } from '../../../lib/is-object.ts'
import type { ArrayRules, ObjectRules, Rules } from '../../../lib/schema.ts'
import { fieldElement, keyElement, valueElement } from './path-element.ts'

/** A part of a value that is merged, and owned, by itself. */
export interface Part {
  readonly value: unknown
  readonly rules: Rules
  /** A property that the schema names, and not an entry of a map or a list. */
  readonly named: boolean
}

/** By path element, in the order of the value. */
export type Parts = ReadonlyMap<string, Part>

/** Whatever is not in the schema is merged as a whole. */
const UNKNOWN: Rules = {}

/**
 * The parts of an object, a map, or a list whose entries can be told apart. Undefined of what is merged as a whole:
 * a scalar, what is atomic, what is not of the type that the schema says, and a list of which two entries have the same
 * keys, or one has none. (That list may be what an update left; of what is applied `assertMergeable` has none.)
 */
export function partsOf(rules: Rules, value: unknown): Parts | undefined {
  if (!('type' in rules)) return undefined
  if (rules.type === 'array') return Array.isArray(value) ? partsOfList(rules, value) : undefined
  return rules.type === 'object' && rules.merge !== 'atomic' && isObject(value)
    ? partsOfObject(rules, value)
    : undefined
}

/** A value of these parts. It is `old` itself if they are just those of it, which makes it quick to compare. */
export function assemble(
  rules: Rules,
  parts: readonly (readonly [string, unknown])[],
  old?: { readonly value: unknown; readonly parts: Parts },
): unknown {
  if (old !== undefined && hasJust(old.parts, parts)) return old.value
  return 'type' in rules && rules.type === 'array'
    ? parts.map(([, value]) => value)
    : Object.fromEntries(parts.map(([element, value]) => [element.slice('f:'.length), value]))
}

function hasJust(old: Parts, parts: readonly (readonly [string, unknown])[]): boolean {
  if (old.size !== parts.length) return false
  let index = 0
  for (const [element, { value }] of old) {
    if (parts[index]![0] !== element || parts[index]![1] !== value) return false
    index++
  }
  return true
}

/** A map, or a list whose entries are merged: what many put something into, each his own. */
export function isCollection(rules: Rules): boolean {
  if (!('type' in rules)) return false
  if (rules.type === 'array') return rules.merge !== undefined
  return rules.type === 'object' && rules.merge !== 'atomic' && rules.additionalProperties !== false
}

/** What tells an entry of a list from the others. Undefined if it has nothing of that, or if the list is atomic. */
export function elementOf(rules: ArrayRules, entry: unknown): string | undefined {
  if (rules.merge === undefined) return undefined
  if (rules.merge === 'set') return entry === null || typeof entry === 'object' ? undefined : valueElement(entry)
  if (!isObject(entry)) return undefined
  const { keys, defaults = {} } = rules.merge
  const given = (key: string) => Object.hasOwn(entry, key) && entry[key] !== null && entry[key] !== ''
  const values = keys.map((key) => [key, given(key) ? entry[key] : defaults[key]] as const)
  const present = values.filter(([, value]) => value !== undefined)
  return present.length === 0 ? undefined : keyElement(present)
}

function partsOfObject(rules: ObjectRules, object: Readonly<Record<string, unknown>>): Parts {
  const named = namedFieldsOf(rules)
  const parts = new Map<string, Part>()
  for (const name of Object.keys(object)) {
    const field = named.get(name)
    const value = object[name]
    if (field !== undefined) parts.set(field.element, { value, named: true, rules: field.rules })
    else parts.set(fieldElement(name), { value, named: false, rules: rules.additionalProperties || UNKNOWN })
  }
  return parts
}

interface NamedField {
  readonly element: string
  readonly rules: Rules
}

/** Of schemas, which are few: made once, since there are many objects of each. */
const namedFields = new WeakMap<ObjectRules, ReadonlyMap<string, NamedField>>()

function namedFieldsOf(rules: ObjectRules): ReadonlyMap<string, NamedField> {
  const known = namedFields.get(rules)
  if (known !== undefined) return known
  const fields = Object.entries(rules.properties ?? {}).map(
    ([name, rules]) => [name, { element: fieldElement(name), rules }] as const,
  )
  const made = new Map(fields)
  namedFields.set(rules, made)
  return made
}

function partsOfList(rules: ArrayRules, list: readonly unknown[]): Parts | undefined {
  if (rules.merge === undefined) return undefined
  const parts = new Map<string, Part>()
  for (const entry of list) {
    const element = elementOf(rules, entry)
    if (element === undefined || parts.has(element)) return undefined
    parts.set(element, { value: entry, rules: rules.items, named: false })
  }
  return parts
}
