import { isDeepStrictEqual } from 'node:util'
import { StatusError } from '../../../lib/errors.ts'
import type { Rules } from '../../../lib/schema.ts'
import { assertMergeable } from './assert-mergeable.ts'
import { compare, NO_CHANGES } from './compare.ts'
import { difference, type FieldSet, intersection, NO_FIELDS, pathsOf, union } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import {
  isSameWriter,
  keepTime,
  type ManagedFieldsEntry,
  type Owner,
  ownable,
  readOwners,
  type Writer,
  writeOwners,
  writerOf,
} from './managed-fields.ts'
import { mergeValues } from './merge-values.ts'
import { describePath } from './path-element.ts'
import { prune } from './prune.ts'

export interface ApplyRequest {
  /** Names the object in messages: `Pod "web"`. */
  readonly what: string
  readonly schema: Rules
  /** The object as it is; undefined if there is none. */
  readonly live: unknown
  /** What its manager states, as it stands in the manifest: without defaults, which would become the manager's. */
  readonly applied: unknown
  readonly manager: string
  readonly subresource?: string
  readonly managedFields: readonly ManagedFieldsEntry[]
  /** Now: RFC 3339, UTC. */
  readonly time: string
  /** Takes fields over from other managers, which is a conflict otherwise. */
  readonly force?: boolean
  /** Makes a merged object complete: sets defaults. They are owned by nobody. */
  readonly complete?: (merged: unknown) => unknown
}

export interface Applied {
  /** Completed; without `metadata.managedFields`, unless the live object has it there. */
  readonly merged: unknown
  readonly managedFields: readonly ManagedFieldsEntry[]
  /** What was taken over by force. */
  readonly conflicts: readonly Conflict[]
}

export interface Conflict extends Omit<Writer, 'apiVersion'> {
  /** `spec.containers[name="web"].image` */
  readonly path: string
}

/**
 * Kubernetes' server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
 *
 * The fields that are applied are set, and owned from now on. Fields that the manager applied the last time and does
 * not apply any more are removed, unless another manager owns them (see `prune`). All others stay. Setting a field that
 * another manager owns to something else is a conflict; by force it changes hands. To apply the same once more changes
 * nothing, and leaves the time in managedFields as it was.
 *
 * null: `mergeValues` says what it does. A field that is null is owned, so that nobody else sets it unasked.
 *
 * @throws {StatusError} `conflict`, with `details.conflicts`; `invalid_argument` for lists that cannot be merged
 */
export function applyObject(request: ApplyRequest): Applied {
  const { what, schema, live, applied, complete = (merged) => merged } = request
  assertMergeable(schema, applied, what)
  const writer = writerOf('Apply', applied, request)
  const owners = readOwners(request.managedFields)
  const before = owners.find((owner) => isSameWriter(owner, writer))
  const others = owners.filter((owner) => owner !== before)
  const stated = fieldsOf(schema, applied)
  // Changes matter to others only.
  const changesTo = (after: unknown) => (others.length === 0 ? NO_CHANGES : compare(schema, live, after))

  const joined = mergeValues(schema, live, applied)
  const changes = changesTo(joined)
  const changed = union(union(changes.added, changes.modified), changes.removed)
  const contested = others.map((owner) => intersection(owner.fields, changed))
  const conflicts = others.flatMap((owner, index) => conflictsOf(owner, contested[index]!))
  if (conflicts.length > 0 && request.force !== true) throw conflict(what, conflicts)

  const wanted = others.reduce((all, owner) => union(all, owner.fields), stated)
  const merged = prune(schema, joined, before?.fields ?? NO_FIELDS, wanted) ?? {}
  const { removed } = merged === joined ? changes : changesTo(merged)
  const remaining = others.map((owner, index) => ({
    ...owner,
    fields: difference(difference(owner.fields, contested[index]!), removed),
  }))
  const completed = complete(merged)
  const now: Owner = { ...writer, time: request.time, fields: ownable(stated) }
  const self = isDeepStrictEqual(completed, live) ? keepTime(now, before) : now
  return { merged: completed, managedFields: writeOwners([...remaining, self]), conflicts }
}

function conflictsOf({ manager, operation, subresource }: Owner, fields: FieldSet): Conflict[] {
  return [...pathsOf(fields)].map((path) => ({
    path: describePath(path),
    manager,
    operation,
    ...(subresource !== undefined && { subresource }),
  }))
}

const MAX_NAMED = 10

function conflict(what: string, conflicts: readonly Conflict[]): StatusError {
  const named = conflicts.slice(0, MAX_NAMED).map(({ path, manager }) => `${path} ("${manager}")`)
  const more = conflicts.length > MAX_NAMED ? ` and ${conflicts.length - MAX_NAMED} more` : ''
  return new StatusError(
    'conflict',
    `Cannot apply ${what}: it sets fields that others manage: ${named.join(', ')}${more}; leave them out, or take them over by force`,
    { details: { conflicts } },
  )
}
