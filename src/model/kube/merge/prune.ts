import type { Rules } from '../../../lib/schema.ts'
import { type FieldSet, isEmpty, NO_FIELDS } from './field-set.ts'
import { assemble, type Part, partsOf } from './parts.ts'

/**
 * Takes out what is in `given` (the fields that a manager gives up, if nobody wants them) and not in `wanted` (all that
 * anybody wants), as structured-merge-diff does (merge/update.go, prune):
 * - a named field goes as a whole if nothing below it is wanted, with what nobody owns: a probe with its defaults;
 * - an entry of a map or a list goes as a whole if it is not wanted itself, even if something below it is;
 * - an object, a map or a list that becomes empty goes too, unless it is wanted for itself.
 *
 * Undefined if all goes.
 */
export function prune(rules: Rules, value: unknown, given: FieldSet, wanted: FieldSet): unknown {
  const parts = partsOf(rules, value)
  if (parts === undefined || parts.size === 0 || given.children.size === 0) return value
  const left: [string, unknown][] = []
  for (const [element, part] of parts) {
    const kept = prunePart(part, given.children.get(element) ?? NO_FIELDS, wanted.children.get(element) ?? NO_FIELDS)
    if (kept !== undefined) left.push([element, kept])
  }
  return left.length === 0 ? undefined : assemble(rules, left, { value, parts })
}

function prunePart({ rules, value, named }: Part, given: FieldSet, wanted: FieldSet): unknown {
  if (isEmpty(given)) return value
  const goes = named ? isEmpty(wanted) : given.member && !wanted.member
  if (goes) return undefined
  return prune(rules, value, given, wanted) ?? (wanted.member ? assemble(rules, []) : undefined)
}
