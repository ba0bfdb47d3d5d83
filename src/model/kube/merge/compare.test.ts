import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sample, sampleSchema, samples } from '../../../../test/support/merge-samples.ts'
import { compare, diffObjects } from './compare.ts'
import { intersection, isEmpty } from './field-set.ts'

const diff = (before: object, after: object) =>
  diffObjects(sampleSchema, sample(before), sample(after)).map(({ path, change }) => `${change} ${path}`)

test('an object does not differ from itself, whatever the order of its properties', () => {
  fc.assert(
    fc.property(samples, (object) => {
      const reversed = Object.fromEntries(Object.entries(object as object).reverse())
      assert.deepEqual(diffObjects(sampleSchema, object, structuredClone(reversed)), [])
    }),
  )
})

test('what is added one way is removed the other way', () => {
  fc.assert(
    fc.property(samples, samples, (before, after) => {
      const there = compare(sampleSchema, before, after)
      const back = compare(sampleSchema, after, before)
      assert.deepEqual(back, { added: there.removed, modified: there.modified, removed: there.added })
      assert.ok(isEmpty(intersection(there.added, there.removed)))
      assert.ok(isEmpty(intersection(there.modified, there.added)))
    }),
  )
})

test('diffObjects() names what differs, and of a whole only the whole', () => {
  assert.deepEqual(
    diff(
      { replicas: 1, containers: [{ name: 'a', image: 'x' }, { name: 'b' }] },
      { replicas: 2, containers: [{ name: 'c', image: 'x' }, { name: 'a' }], emptyDir: {} },
    ),
    [
      'removed spec.containers[name="a"].image',
      'removed spec.containers[name="b"]',
      'changed spec.replicas',
      'added spec.containers[name="c"]',
      'added spec.emptyDir',
    ],
  )
})

test('null is absent', () => {
  assert.deepEqual(diff({ replicas: null, emptyDir: {} }, { emptyDir: { medium: null } }), [])
  assert.deepEqual(diff({ replicas: 1 }, { replicas: null }), ['removed spec.replicas'])
})

test('a list that comes to have an entry twice has changed as a whole', () => {
  const one = { containers: [{ name: 'a', image: 'x' }] }
  const two = { containers: [{ name: 'a', image: 'x' }, { name: 'a' }] }
  assert.deepEqual(diff(one, two), ['removed spec.containers[name="a"]', 'changed spec.containers'])
  assert.deepEqual(diff(two, two), [])
})
