import type { Rules } from '../../../lib/schema.ts'
import { type FieldSet, fieldSet, LEAF } from './field-set.ts'
import { partsOf } from './parts.ts'

/**
 * The fields that an applied object states: its scalars and what is atomic, each entry of a map or a list, and what it
 * has that is empty. A field that is null is among them. An object that is there only for what is in it is not.
 */
export function fieldsOf(schema: Rules, object: unknown): FieldSet {
  return { ...fieldsBelow(schema, object), member: false }
}

function fieldsBelow(rules: Rules, value: unknown): FieldSet {
  const parts = partsOf(rules, value)
  if (parts === undefined || parts.size === 0) return LEAF
  return fieldSet(
    false,
    parts.entries().map(([element, part]) => {
      const below = fieldsBelow(part.rules, part.value)
      return [element, part.named ? below : { ...below, member: true }]
    }),
  )
}
