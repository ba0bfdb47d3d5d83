import { isDeepStrictEqual } from 'node:util'
import type { Rules } from '../../../lib/schema.ts'
import { type FieldSet, fieldSet, LEAF, NO_FIELDS, pathsOf } from './field-set.ts'
import { type Parts, partsOf } from './parts.ts'
import { describePath } from './path-element.ts'

/** What became of the fields of an object. No field is in two of the sets. */
export interface Changes {
  /** Also objects, maps and lists that were not there before, with what is in them. */
  readonly added: FieldSet
  readonly modified: FieldSet
  /** Also objects, maps and lists that are gone, with what was in them. */
  readonly removed: FieldSet
}

export const NO_CHANGES: Changes = { added: NO_FIELDS, modified: NO_FIELDS, removed: NO_FIELDS }
/** Of a value without parts. */
const WHOLE: Readonly<Record<keyof Changes, Changes>> = {
  added: { ...NO_CHANGES, added: LEAF },
  modified: { ...NO_CHANGES, modified: LEAF },
  removed: { ...NO_CHANGES, removed: LEAF },
}

/**
 * What changed between two states of an object; either may be undefined. A field that is null is not there. That
 * entries of a list have changed places is no change.
 */
export function compare(schema: Rules, before: unknown, after: unknown): Changes {
  const { added, modified, removed } = compareValues(schema, before ?? undefined, after ?? undefined)
  const below = (set: FieldSet) => ({ ...set, member: false })
  return { added: below(added), modified: below(modified), removed: below(removed) }
}

function compareValues(rules: Rules, before: unknown, after: unknown): Changes {
  if (before === after) return NO_CHANGES
  const was = partsOf(rules, before)
  const is = partsOf(rules, after)
  const whole = changeOfWhole(before, after, was, is)
  const parts = compareParts(was, is)
  if (parts.length === 0) return whole === undefined ? NO_CHANGES : WHOLE[whole]
  const gather = (change: keyof Changes) =>
    fieldSet(
      whole === change,
      parts.values().map(([element, changes]) => [element, changes[change]] as const),
    )
  return { added: gather('added'), modified: gather('modified'), removed: gather('removed') }
}

/** Values that are both made of parts differ in these only. */
function changeOfWhole(
  before: unknown,
  after: unknown,
  was: Parts | undefined,
  is: Parts | undefined,
): keyof Changes | undefined {
  if (before === undefined) return 'added'
  if (after === undefined) return 'removed'
  if (was !== undefined && is !== undefined) return undefined
  return was === is && isDeepStrictEqual(before, after) ? undefined : 'modified'
}

function compareParts(was: Parts = new Map(), is: Parts = new Map()): (readonly [string, Changes])[] {
  const changed: [string, Changes][] = []
  const add = (element: string, rules: Rules, before: unknown, after: unknown) => {
    const changes = compareValues(rules, before ?? undefined, after ?? undefined)
    if (changes !== NO_CHANGES) changed.push([element, changes])
  }
  for (const [element, { rules, value }] of is) add(element, rules, was.get(element)?.value, value)
  for (const [element, { rules, value }] of was) if (!is.has(element)) add(element, rules, value, undefined)
  return changed
}

export interface FieldChange {
  /** `spec.containers[name="web"].image` */
  readonly path: string
  readonly change: 'added' | 'changed' | 'removed'
}

/** For messages: what differs, by path. Of what was added or removed as a whole only the whole. */
export function diffObjects(schema: Rules, before: unknown, after: unknown): readonly FieldChange[] {
  const { added, modified, removed } = compare(schema, before, after)
  const listed = (set: FieldSet, change: FieldChange['change']) =>
    [...pathsOf(withoutInner(set))].map((path) => ({ path: describePath(path), change }))
  return [...listed(removed, 'removed'), ...listed(modified, 'changed'), ...listed(added, 'added')]
}

/** Without the paths that lead on from others of the set. */
function withoutInner({ member, children }: FieldSet): FieldSet {
  return {
    member,
    children: member ? new Map() : new Map([...children].map(([key, child]) => [key, withoutInner(child)])),
  }
}
