import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { difference, type FieldSet, fieldSetOf, intersection, isEmpty, isSameSet, pathsOf, union } from './field-set.ts'
import { type FieldsV1, fromFieldsV1, toFieldsV1 } from './fields-v1.ts'
import { fieldElement, keyElement, valueElement } from './path-element.ts'

const element = fc.oneof(
  fc.constantFrom('a', 'b', 'app.kubernetes.io/name', '__proto__', '.', '').map(fieldElement),
  fc
    .record({ port: fc.constantFrom(80, 443), protocol: fc.constantFrom('TCP', 'UDP') })
    .map((keys) => keyElement(Object.entries(keys))),
  fc.constantFrom('x', 1, true, '"').map(valueElement),
  fc.constantFrom('i:0', 'i:12'),
)
const sets: fc.Arbitrary<FieldSet> = fc
  .array(fc.array(element, { minLength: 1, maxLength: 3 }), { maxLength: 8 })
  .map((paths) => fieldSetOf(...paths))
const texts = (set: FieldSet) => new Set(pathsOf(set).map((path) => JSON.stringify(path)))

test('union, difference and intersection are those of the paths', () => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      assert.deepEqual(texts(union(a, b)), texts(a).union(texts(b)))
      assert.deepEqual(texts(difference(a, b)), texts(a).difference(texts(b)))
      assert.deepEqual(texts(intersection(a, b)), texts(a).intersection(texts(b)))
      assert.equal(isSameSet(a, b), texts(a).symmetricDifference(texts(b)).size === 0)
      assert.equal(isEmpty(difference(a, b)), texts(a).isSubsetOf(texts(b)))
    }),
  )
})

test('written as FieldsV1 and read again, a set is the same', () => {
  fc.assert(
    fc.property(sets, (set) => {
      const written = toFieldsV1(set)
      assert.ok(isSameSet(fromFieldsV1(JSON.parse(JSON.stringify(written))), set))
      assert.equal(JSON.stringify(toFieldsV1(fromFieldsV1(written))), JSON.stringify(written))
    }),
  )
})

test('FieldsV1 as Kubernetes writes it', () => {
  const port = keyElement([
    ['protocol', 'TCP'],
    ['containerPort', 80],
  ])
  const set = fieldSetOf(
    ['f:spec', 'f:containers', 'k:{"name":"web"}'],
    ['f:spec', 'f:containers', 'k:{"name":"web"}', 'f:ports', port],
    ['f:metadata', 'f:finalizers', 'v:"a"'],
  )
  const written: FieldsV1 = {
    'f:metadata': { 'f:finalizers': { 'v:"a"': {} } },
    'f:spec': {
      'f:containers': {
        'k:{"name":"web"}': { '.': {}, 'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': {} } },
      },
    },
  }
  assert.deepEqual(toFieldsV1(set), written)
  assert.ok(isSameSet(fromFieldsV1(written), set))
})

test('spellings of one path element are one', () => {
  const read = fromFieldsV1({ 'k:{"b":1,"a":2}': { 'f:x': {} }, 'k:{ "a": 2, "b": 1.0 }': { '.': {} } })
  assert.deepEqual(toFieldsV1(read), { 'k:{"a":2,"b":1}': { '.': {}, 'f:x': {} } })
})

test('what is no FieldsV1 is refused', () => {
  const deep = JSON.parse(`${'{"f:a":'.repeat(200)}{}${'}'.repeat(200)}`)
  for (const fields of [
    null,
    [],
    'f:a',
    { 'f:a': null },
    { a: {} },
    { 'k:{': {} },
    { 'k:[1]': {} },
    { 'v:{}': {} },
    deep,
  ]) {
    assert.throws(() => fromFieldsV1(fields), { code: 'invalid_argument' })
  }
})
