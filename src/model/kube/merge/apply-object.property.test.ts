import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sample, samples, sampleSchema as schema } from '../../../../test/support/merge-samples.ts'
import { type Applied, applyObject } from './apply-object.ts'
import { compare } from './compare.ts'
import { difference, intersection, isEmpty, NO_FIELDS, union } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import { toFieldsV1 } from './fields-v1.ts'
import { type ManagedFieldsEntry, ownable, readOwners } from './managed-fields.ts'
import { mergeValues } from './merge-values.ts'
import { updateManaged } from './update-managed.ts'

interface State {
  readonly live: unknown
  readonly managedFields: readonly ManagedFieldsEntry[]
}

const NOTHING: State = { live: undefined, managedFields: [] }
const EARLY = '2026-01-01T00:00:00Z'
const LATE = '2026-01-01T00:00:01Z'

function apply(state: State, applied: unknown, manager: string, time = EARLY): State & Applied {
  const result = applyObject({ what: 'Sample "web"', schema, ...state, applied, manager, time, force: true })
  return { ...result, live: result.merged }
}

function update(state: State, after: unknown, manager: string): State {
  const { live: before, managedFields } = state
  return { live: after, managedFields: updateManaged({ schema, before, after, manager, managedFields, time: EARLY }) }
}

test('what is applied where nothing was is there, and all of it is owned', () => {
  fc.assert(
    fc.property(samples, (applied) => {
      const { merged, managedFields, conflicts } = apply(NOTHING, applied, 'a')
      assert.deepEqual(merged, applied)
      assert.deepEqual(conflicts, [])
      const fields = ownable(fieldsOf(schema, applied))
      assert.deepEqual(
        managedFields.map(({ fieldsV1 }) => fieldsV1),
        isEmpty(fields) ? [] : [toFieldsV1(fields)],
      )
    }),
  )
})

test('what is applied once more changes nothing', () => {
  fc.assert(
    fc.property(samples, samples, samples, (mine, theirs, updated) => {
      const before = apply(update(apply(NOTHING, theirs, 'b'), updated, 'c'), mine, 'a')
      const again = apply(before, mine, 'a', LATE)
      assert.deepEqual(again.merged, before.merged)
      assert.deepEqual(again.managedFields, before.managedFields)
      assert.deepEqual(again.conflicts, [])
    }),
  )
})

test('what one manager does not apply any more is gone, and nothing else', () => {
  fc.assert(
    fc.property(samples, samples, (first, second) => {
      assert.deepEqual(apply(apply(NOTHING, first, 'a'), second, 'a').merged, second)
    }),
  )
})

test('what two managers apply in turn: the last one has what it wants, and owners own what is there', () => {
  fc.assert(
    fc.property(
      samples,
      fc.array(fc.tuple(samples, fc.constantFrom('a', 'b', 'c')), { maxLength: 6 }),
      (first, steps) => {
        let state: State = update(NOTHING, first, 'u')
        for (const [applied, manager] of steps) {
          state = apply(state, applied, manager)
          assert.deepEqual(mergeValues(schema, state.live, applied), state.live)
          const there = compare(schema, undefined, state.live).added
          for (const owner of readOwners(state.managedFields)) assert.ok(isEmpty(difference(owner.fields, there)))
        }
      },
    ),
  )
})

test('what another manager applied the same stays when one gives it up', () => {
  fc.assert(
    fc.property(samples, (applied) => {
      const both = apply(apply(NOTHING, applied, 'a'), applied, 'b')
      const { merged, managedFields } = apply(both, sample(), 'a')
      assert.deepEqual(merged, applied)
      assert.ok(managedFields.every(({ manager }) => manager === 'b'))
    }),
  )
})

test('what a manager applied beside others, and then nothing, leaves what they have', () => {
  fc.assert(
    fc.property(samples, samples, (theirs, mine) => {
      const before = apply(NOTHING, theirs, 'b')
      const joined = apply(before, mine, 'a')
      fc.pre(joined.conflicts.length === 0)
      const left = apply(joined, sample(), 'a')
      const { added, modified, removed } = compare(schema, theirs, left.merged)
      assert.ok([added, modified, removed].every(isEmpty))
      assert.deepEqual(left.managedFields, before.managedFields)
    }),
  )
})

test('after an update its manager alone owns what it changed, and nobody what is gone', () => {
  fc.assert(
    fc.property(samples, samples, samples, samples, (first, mine, theirs, after) => {
      const state = apply(apply(update(NOTHING, first, 'c'), mine, 'a'), theirs, 'b')
      const { added, modified, removed } = compare(schema, state.live, after)
      const set = ownable(union(added, modified))
      const owners = readOwners(update(state, after, 'c').managedFields)
      for (const { manager, fields } of owners) {
        assert.ok(isEmpty(intersection(fields, removed)))
        assert.ok(manager === 'c' || isEmpty(intersection(fields, set)))
      }
      const own = owners.find(({ manager }) => manager === 'c')?.fields ?? NO_FIELDS
      assert.ok(isEmpty(difference(set, own)))
    }),
  )
})
