import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sample, sampleSchema as schema } from '../../../../test/support/merge-samples.ts'
import type { ManagedFieldsEntry } from './managed-fields.ts'
import { updateManaged } from './update-managed.ts'

const TIME = '2026-01-01T00:00:00Z'
const LATER = '2026-01-01T00:00:05Z'

const update = (
  managedFields: readonly ManagedFieldsEntry[],
  before: unknown,
  after: unknown,
  manager: string,
  more: { readonly time?: string; readonly subresource?: string } = {},
) => updateManaged({ schema, before, after, manager, managedFields, time: TIME, ...more })

const made = sample({ replicas: 1 }, { labels: { a: 'b' } })
const entries = update([], undefined, made, 'u')

test('who makes an object owns all of it, with what holds its fields', () => {
  assert.deepEqual(entries, [
    {
      manager: 'u',
      operation: 'Update',
      apiVersion: 'v1',
      time: TIME,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } }, 'f:spec': { '.': {}, 'f:replicas': {} } },
    },
  ])
})

test('what has not changed leaves managedFields as they are', () => {
  assert.equal(update(entries, made, structuredClone(made), 'v', { time: LATER }), entries)
  assert.equal(update(entries, made, sample({ replicas: 1 }, { labels: { a: 'b' }, uid: 'x' }), 'v'), entries)
})

test('a change of what it owns already leaves the time of its entry', () => {
  assert.deepEqual(
    update(entries, made, sample({ replicas: 2 }, { labels: { a: 'b' } }), 'u', { time: LATER }),
    entries,
  )
})

test('a change of what another owns moves it', () => {
  const after = update(entries, made, sample({ replicas: 2 }, { labels: { a: 'b' } }), 'v', { time: LATER })
  assert.deepEqual(
    after.map(({ manager, time, fieldsV1 }) => [manager, time, fieldsV1]),
    [
      ['u', TIME, { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } }, 'f:spec': {} }],
      ['v', LATER, { 'f:spec': { 'f:replicas': {} } }],
    ],
  )
})

test('an owner of nothing has no entry', () => {
  assert.deepEqual(update(entries, made, sample(), 'v'), [])
})

test('a manager that updates has an entry for each version', () => {
  const v2 = { ...(sample({ replicas: 2 }, { labels: { a: 'b' } }) as object), apiVersion: 'v2' }
  assert.deepEqual(
    update(entries, made, v2, 'u').map(({ apiVersion }) => apiVersion),
    ['v1', 'v2'],
  )
})

test('a manager has an entry for each subresource', () => {
  const after = update(entries, made, sample({ replicas: 2 }, { labels: { a: 'b' } }), 'u', { subresource: 'scale' })
  assert.deepEqual(
    after.map(({ manager, subresource }) => [manager, subresource]),
    [
      ['u', undefined],
      ['u', 'scale'],
    ],
  )
})
