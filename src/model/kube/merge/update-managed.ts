import type { Rules } from '../../../lib/schema.ts'
import { compare } from './compare.ts'
import { difference, isEmpty, NO_FIELDS, union } from './field-set.ts'
import {
  isSameWriter,
  keepTime,
  type ManagedFieldsEntry,
  type Owner,
  ownable,
  readOwners,
  writeOwners,
  writerOf,
} from './managed-fields.ts'

export interface UpdateRequest {
  readonly schema: Rules
  /** Undefined for an object that is being made. */
  readonly before: unknown
  readonly after: unknown
  readonly manager: string
  readonly subresource?: string
  readonly managedFields: readonly ManagedFieldsEntry[]
  /** Now: RFC 3339, UTC. */
  readonly time: string
}

/**
 * Who owns the fields of an object after a write that is no apply: what it set to something else is the writer's alone,
 * what it took away is nobody's. There are no conflicts. If no field has changed, it returns what it was given.
 */
export function updateManaged(request: UpdateRequest): readonly ManagedFieldsEntry[] {
  const { schema, before, after, managedFields, time } = request
  const { added, modified, removed } = compare(schema, before, after)
  const set = ownable(union(added, modified))
  if (isEmpty(set) && isEmpty(ownable(removed))) return managedFields

  const writer = writerOf('Update', after, request)
  const gone = union(set, removed)
  const owners = readOwners(managedFields)
  const own = owners.find((owner) => isSameWriter(owner, writer))
  const others = owners.filter((owner) => owner !== own)
  const fields = difference(union(own?.fields ?? NO_FIELDS, set), removed)
  const self: Owner = keepTime({ ...writer, time, fields }, own)
  return writeOwners([...others.map((owner) => ({ ...owner, fields: difference(owner.fields, gone) })), self])
}
