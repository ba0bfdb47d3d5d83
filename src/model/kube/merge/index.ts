/**
 * How Kubernetes' objects are merged: server-side apply, and who owns which field.
 *
 * Everything here is a function of JSON and a schema; the schema's `merge` says what is merged and what is replaced
 * (lib/schema.ts). What it does is what structured-merge-diff does in Kubernetes' API server
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/); where it differs, the function says so. All of
 * it takes time in proportion to the size of the objects and their managedFields.
 *
 * | file | what is in it |
 * |---|---|
 * | apply-object.ts, update-managed.ts | an apply; any other write |
 * | merge-values.ts, prune.ts | what an apply puts in, and what it takes out |
 * | compare.ts | what changed between two states |
 * | fields-of.ts, field-set.ts, fields-v1.ts, path-element.ts | sets of field paths, and how they are written |
 * | parts.ts | what of a value is merged by itself, by the schema |
 * | managed-fields.ts | the entries of `metadata.managedFields` |
 */
export { type Applied, type ApplyRequest, applyObject, type Conflict } from './apply-object.ts'
export type { FieldsV1 } from './fields-v1.ts'
export type { ManagedFieldsEntry } from './managed-fields.ts'
