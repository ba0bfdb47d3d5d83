import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sample, sampleSchema as schema } from '../../../../test/support/merge-samples.ts'
import { type Applied, type ApplyRequest, applyObject } from './apply-object.ts'
import { pathsOf } from './field-set.ts'
import { fromFieldsV1 } from './fields-v1.ts'
import type { ManagedFieldsEntry } from './managed-fields.ts'
import { describePath } from './path-element.ts'
import { updateManaged } from './update-managed.ts'

interface State {
  readonly live: unknown
  readonly managedFields: readonly ManagedFieldsEntry[]
}

const NOTHING: State = { live: undefined, managedFields: [] }
const TIME = '2026-01-01T00:00:00Z'
const LATER = '2026-01-01T00:00:05Z'
const what = 'Sample "web"'

function apply(state: State, manager: string, spec: object, more: Partial<ApplyRequest> = {}): State & Applied {
  const result = applyObject({ what, schema, ...state, applied: sample(spec), manager, time: TIME, ...more })
  return { ...result, live: result.merged }
}

function update({ live: before, managedFields }: State, manager: string, spec: object): State {
  const after = sample(spec)
  return { live: after, managedFields: updateManaged({ schema, before, after, manager, managedFields, time: TIME }) }
}

/** By manager and operation, what it owns. */
function owned({ managedFields }: State): Record<string, string[]> {
  return Object.fromEntries(
    managedFields.map(({ manager, operation, fieldsV1 }) => [
      `${manager} ${operation}`,
      [...pathsOf(fromFieldsV1(fieldsV1))].map((path) => describePath(path).replace(/^spec\./, '')),
    ]),
  )
}

test('the entry of managedFields', () => {
  const { managedFields } = apply(NOTHING, 'me', { replicas: 2 }, { subresource: 'scale' })
  assert.deepEqual(managedFields, [
    {
      manager: 'me',
      operation: 'Apply',
      apiVersion: 'v1',
      time: TIME,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      subresource: 'scale',
    },
  ])
})

test('what others set stays, and what is set by nobody', () => {
  const live = sample({ replicas: 3, containers: [{ name: 'a', image: 'x' }] })
  const { merged } = apply({ live, managedFields: [] }, 'me', { containers: [{ name: 'a', tty: true }, { name: 'b' }] })
  assert.deepEqual(merged, sample({ replicas: 3, containers: [{ name: 'a', image: 'x', tty: true }, { name: 'b' }] }))
})

test('to set what another manager owns is a conflict, by force it changes hands', () => {
  const theirs = apply(NOTHING, 'they', { replicas: 1, containers: [{ name: 'a', image: 'x' }] })
  const mine = { replicas: 2, containers: [{ name: 'a', image: 'y' }] }
  const conflicts = [
    { path: 'spec.containers[name="a"].image', manager: 'they', operation: 'Apply' },
    { path: 'spec.replicas', manager: 'they', operation: 'Apply' },
  ]
  assert.throws(() => apply(theirs, 'me', mine), {
    code: 'conflict',
    message:
      'Cannot apply Sample "web": it sets fields that others manage: spec.containers[name="a"].image ("they"), spec.replicas ("they"); leave them out, or take them over by force',
    details: { conflicts },
  })
  const taken = apply(theirs, 'me', mine, { force: true })
  assert.deepEqual(taken.merged, sample(mine))
  assert.deepEqual(taken.conflicts, conflicts)
  assert.deepEqual(owned(taken), {
    'me Apply': ['containers[name="a"]', 'containers[name="a"].image', 'containers[name="a"].name', 'replicas'],
    'they Apply': ['containers[name="a"]', 'containers[name="a"].name'],
  })
})

test('to set what another manager owns to the same is none: both own it, and the last to give it up takes it away', () => {
  const both = apply(apply(NOTHING, 'they', { replicas: 1 }), 'me', { replicas: 1 })
  assert.deepEqual(owned(both), { 'me Apply': ['replicas'], 'they Apply': ['replicas'] })
  const theirs = apply(both, 'me', {})
  assert.deepEqual(theirs.merged, sample({ replicas: 1 }))
  assert.deepEqual(owned(theirs), { 'they Apply': ['replicas'], 'me Apply': ['spec'] })
  assert.deepEqual(apply(theirs, 'they', {}).merged, sample({}))
})

test('a conflict of very many fields names some of them', () => {
  const containers = (image: string) => Array.from({ length: 30 }, (_, index) => ({ name: `c${index}`, image }))
  const theirs = apply(NOTHING, 'they', { containers: containers('x') })
  assert.throws(() => apply(theirs, 'me', { containers: containers('y') }), {
    message: /spec\.containers\[name="c17"\]\.image \("they"\) and 20 more; /,
  })
})

test('what an update changed is not taken away by an apply that never stated it', () => {
  const applied = apply(NOTHING, 'me', { replicas: 1, emptyDir: {} })
  const scaled = update(applied, 'scaler', { replicas: 5, emptyDir: {} })
  assert.deepEqual(owned(scaled), { 'me Apply': ['emptyDir'], 'scaler Update': ['replicas'] })
  assert.throws(() => apply(scaled, 'me', { replicas: 1, emptyDir: {} }), { code: 'conflict' })
  assert.deepEqual(apply(scaled, 'me', { emptyDir: {} }).merged, sample({ replicas: 5, emptyDir: {} }))
})

test('a manager that updates is another than the one of its name that applies', () => {
  const scaled = update(apply(NOTHING, 'me', { replicas: 1 }), 'me', { replicas: 5 })
  assert.deepEqual(owned(scaled), { 'me Update': ['replicas'] })
  assert.throws(() => apply(scaled, 'me', { replicas: 1 }), { code: 'conflict', message: /spec\.replicas \("me"\)/ })
})

test('what an updater set first stays when an apply that shared it gives it up', () => {
  const shared = apply(update(NOTHING, 'u', { emptyDir: { medium: 'Memory' } }), 'me', {
    emptyDir: { medium: 'Memory' },
  })
  assert.deepEqual(apply(shared, 'me', {}).merged, sample({ emptyDir: { medium: 'Memory' } }))
})

test('an entry goes with what others have put into it, unless they own the entry', () => {
  const mine = apply(NOTHING, 'me', { containers: [{ name: 'a' }, { name: 'b' }] })
  const set = update(mine, 'u', {
    containers: [
      { name: 'a', tty: true },
      { name: 'b', tty: true },
    ],
  })
  const shared = apply(set, 'they', { containers: [{ name: 'b' }] })
  const left = apply(shared, 'me', {})
  assert.deepEqual(left.merged, sample({ containers: [{ name: 'b', tty: true }] }))
  assert.deepEqual(owned(left), {
    'me Apply': ['spec'],
    'they Apply': ['containers[name="b"]', 'containers[name="b"].name'],
    'u Update': ['containers[name="b"].tty'],
  })
})

test('a field goes with the defaults below it', () => {
  const complete = (merged: unknown) => JSON.parse(JSON.stringify(merged).replace('"/"', '"/","period":10'))
  const made = apply(NOTHING, 'me', { containers: [{ name: 'a', probe: { path: '/' } }] }, { complete })
  assert.deepEqual(made.merged, sample({ containers: [{ name: 'a', probe: { path: '/', period: 10 } }] }))
  assert.deepEqual(apply(made, 'me', { containers: [{ name: 'a' }] }).merged, sample({ containers: [{ name: 'a' }] }))
})

test('an object that is applied empty stays, one that has become empty does not', () => {
  const made = apply(NOTHING, 'me', { emptyDir: { medium: 'Memory' }, limits: { a: { soft: 1 } } })
  assert.deepEqual(apply(made, 'me', { emptyDir: {} }).merged, sample({ emptyDir: {} }))
  assert.deepEqual(apply(made, 'me', { limits: { a: {} } }).merged, sample({ limits: { a: {} } }))
})

test('a key that is left to its default is the same key', () => {
  const port = (more: object) => ({ containers: [{ name: 'a', ports: [{ containerPort: 80, ...more }] }] })
  const made = apply(NOTHING, 'me', port({ protocol: 'TCP' }))
  assert.deepEqual(apply(made, 'they', port({ hostPort: 1 })).merged, sample(port({ protocol: 'TCP', hostPort: 1 })))
})

test('what is atomic is set, and owned, as a whole', () => {
  const theirs = apply(NOTHING, 'they', { selector: { a: '1' } })
  assert.throws(() => apply(theirs, 'me', { selector: { b: '2' } }), { message: /spec\.selector \("they"\)/ })
  const taken = apply(theirs, 'me', { selector: { b: '2' } }, { force: true })
  assert.deepEqual(taken.merged, sample({ selector: { b: '2' } }))
  assert.deepEqual(owned(taken), { 'me Apply': ['selector'] })
})

test('null takes away what another manager owns by force only, and keeps it away', () => {
  const theirs = apply(NOTHING, 'they', { replicas: 1, emptyDir: { medium: 'Memory' } })
  const mine = { replicas: null, emptyDir: null }
  assert.throws(() => apply(theirs, 'me', mine), { code: 'conflict', message: /emptyDir\.medium.*replicas/ })
  const taken = apply(theirs, 'me', mine, { force: true })
  assert.deepEqual(taken.merged, sample({}))
  assert.deepEqual(owned(taken), { 'me Apply': ['emptyDir', 'replicas'] })
  assert.deepEqual(apply(taken, 'me', mine, { time: LATER }).managedFields, taken.managedFields)
  assert.throws(() => apply(taken, 'they', { replicas: 1 }), {
    code: 'conflict',
    message: /spec\.replicas \("me"\)/,
  })
})

test('the time of an entry is that of its last change', () => {
  const made = apply(NOTHING, 'me', { replicas: 1 })
  const times = (state: State) => state.managedFields.map(({ manager, time }) => [manager, time])
  assert.deepEqual(times(apply(made, 'me', { replicas: 1 }, { time: LATER })), [['me', TIME]])
  assert.deepEqual(times(apply(made, 'me', { replicas: 2 }, { time: LATER })), [['me', LATER]])
  assert.deepEqual(times(apply(made, 'they', { replicas: 1 }, { time: LATER })), [
    ['me', TIME],
    ['they', LATER],
  ])
})

test('what a default fills in again is no change', () => {
  const complete = (merged: unknown) => {
    const { spec, ...rest } = merged as { spec: object }
    return { ...rest, spec: { replicas: 1, ...spec } }
  }
  const made = apply(NOTHING, 'me', { replicas: null }, { complete })
  const again = apply(made, 'me', { replicas: null }, { complete, time: LATER })
  assert.deepEqual(again.merged, sample({ replicas: 1 }))
  assert.deepEqual(again.managedFields, made.managedFields)
})

test('name, uid and the like are owned by nobody', () => {
  const applied = sample({}, { uid: 'u', labels: { a: 'b' } })
  const { managedFields } = apply(NOTHING, 'me', {}, { applied })
  assert.deepEqual(owned({ live: applied, managedFields }), { 'me Apply': ['metadata.labels.a', 'spec'] })
})

test('a list that an update has left with equal entries is replaced', () => {
  const live = update(NOTHING, 'u', { containers: [{ name: 'a' }, { name: 'a', tty: true }] })
  assert.throws(() => apply(live, 'me', { containers: [{ name: 'b' }] }), {
    message: /spec\.containers \("u"\)/,
  })
  const { merged } = apply(live, 'me', { containers: [{ name: 'b' }] }, { force: true })
  assert.deepEqual(merged, sample({ containers: [{ name: 'b' }] }))
})

test('a list with equal entries is not applied', () => {
  assert.throws(() => apply(NOTHING, 'me', { containers: [{ name: 'a' }, { name: 'a' }] }), {
    code: 'invalid_argument',
  })
})
