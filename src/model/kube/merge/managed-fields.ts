import { isObject } from '../../../lib/is-object.ts'
import { difference, type FieldSet, fieldSetOf, isEmpty, isSameSet } from './field-set.ts'
import { type FieldsV1, fromFieldsV1, toFieldsV1 } from './fields-v1.ts'

/** metav1.ManagedFieldsEntry: which fields of an object a manager owns, by one kind of write. */
export interface ManagedFieldsEntry {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  /** Of the object that was written. */
  readonly apiVersion: string
  /** When the set last changed, or an apply last changed the object: RFC 3339, UTC. */
  readonly time: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: FieldsV1
  readonly subresource?: string
}

/** Who writes: the fields of an entry that tell it from the others. */
export type Writer = Pick<ManagedFieldsEntry, 'manager' | 'operation' | 'apiVersion' | 'subresource'>

/** The writer of an object, by the operation and the object's own apiVersion. */
export function writerOf(
  operation: Writer['operation'],
  object: unknown,
  { manager, subresource }: Pick<Writer, 'manager' | 'subresource'>,
): Writer {
  const apiVersion = isObject(object) && typeof object['apiVersion'] === 'string' ? object['apiVersion'] : ''
  return { manager, operation, apiVersion, ...(subresource !== undefined && { subresource }) }
}

export interface Owner extends Writer {
  readonly time: string
  readonly fields: FieldSet
}

/** What an object is, and what only the daemon writes: owned by nobody (Kubernetes' stripmeta.go). */
const UNOWNED = fieldSetOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ['f:metadata', 'f:name'],
  ['f:metadata', 'f:namespace'],
  ['f:metadata', 'f:uid'],
  ['f:metadata', 'f:resourceVersion'],
  ['f:metadata', 'f:generation'],
  ['f:metadata', 'f:creationTimestamp'],
  ['f:metadata', 'f:selfLink'],
  ['f:metadata', 'f:managedFields'],
)

/** Without the fields that nobody owns. */
export function ownable(fields: FieldSet): FieldSet {
  return difference(fields, UNOWNED)
}

/** Whether it is the same manager, writing in the same way. An apply owns across the versions of a kind. */
export function isSameWriter(a: Writer, b: Writer): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  )
}

/** @throws {StatusError} `invalid_argument` if the fields of an entry are malformed */
export function readOwners(managedFields: readonly ManagedFieldsEntry[]): readonly Owner[] {
  return managedFields.map(({ fieldsType: _, fieldsV1, ...owner }) => ({ ...owner, fields: fromFieldsV1(fieldsV1) }))
}

/** In Kubernetes' order. An owner of nothing is left out. */
export function writeOwners(owners: readonly Owner[]): readonly ManagedFieldsEntry[] {
  return owners
    .filter(({ fields }) => !isEmpty(fields))
    .toSorted((a, b) => compareTexts(orderOf(a), orderOf(b)))
    .map(({ manager, operation, apiVersion, time, subresource, fields }) => ({
      manager,
      operation,
      apiVersion,
      time,
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      ...(subresource !== undefined && { subresource }),
    }))
}

/** An owner that owns what it owned before is as it was then, with that time. */
export function keepTime(owner: Owner, before: Owner | undefined): Owner {
  return before !== undefined && isSameSet(owner.fields, before.fields) && owner.apiVersion === before.apiVersion
    ? before
    : owner
}

function orderOf({ operation, time, manager, apiVersion, subresource = '' }: Owner): readonly string[] {
  return [operation, time, manager, apiVersion, subresource]
}

function compareTexts(a: readonly string[], b: readonly string[]): number {
  const differing = a.findIndex((text, index) => text !== b[index])
  if (differing === -1) return 0
  return a[differing]! < b[differing]! ? -1 : 1
}
