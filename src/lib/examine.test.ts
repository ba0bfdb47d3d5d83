import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examine } from './examine.ts'
import {
  anyOf,
  anything,
  array,
  boolean,
  dropped,
  ignored,
  integer,
  map,
  object,
  oneOf,
  optional,
  parse,
  refused,
  type Schema,
  string,
} from './schema.ts'

const schema = object({
  name: string(),
  note: optional(string()),
  level: optional(oneOf('low', 'high')),
  kind: optional(oneOf('', 'a')),
  port: optional(anyOf(integer(), string())),
  extra: optional(anything()),
  labels: optional(map(string())),
  old: optional(object({ deep: optional(integer(), ignored()) }), ignored('it is old')),
  mode: optional(
    oneOf('a', 'b', 'c', 'd'),
    ignored('b is as a', { only: ['b'] }),
    refused('c is bad', { only: ['c'] }),
    ignored(undefined, { except: ['a'] }),
  ),
  flag: optional(boolean(), ignored(undefined, { only: [false] })),
  bad: optional(object({}), refused('never')),
  bads: optional(array(string()), refused('never')),
  set: optional(anything(), dropped('it is set here')),
  list: optional(array(object({ a: integer() }))),
})

const warned = (value: object) => examine(schema, { name: 'x', ...value }).ignored.map(({ path }) => path)

test('examine() says all that is wrong, unknown fields of an object first', () => {
  const { faults } = examine(schema, { nmae: 'x', note: 5, list: [{ a: 1 }, {}, { a: '1', b: 2 }] })
  assert.deepEqual(
    faults.map(({ path, problem }) => `${path} ${problem}`),
    [
      'nmae is unknown',
      'name is missing',
      'note must be a string, not 5',
      'list[1].a is missing',
      'list[2].b is unknown',
      'list[2].a must be an integer, not "1"',
    ],
  )
  assert.deepEqual(faults[4]?.known, ['a'])
})

test('examine() tells of very many faults only the first', () => {
  assert.equal(examine(array(integer()), Array(1000).fill('x')).faults.length, 100)
})

test('marks: what is ignored is kept, once, and what asks for nothing is not told', () => {
  const value = { name: 'x', old: { deep: 1 } }
  const { value: kept, ignored } = examine(schema, value)
  assert.deepEqual(kept, value)
  assert.deepEqual(ignored, [{ path: 'old', mark: { verdict: 'ignored', why: 'it is old' } }])
  assert.deepEqual(warned({ old: {} }), [])
  assert.deepEqual(warned({ old: null }), [])
})

test('marks: the first that holds for the value counts', () => {
  assert.deepEqual(warned({ mode: 'a' }), [])
  assert.equal(examine(schema, { name: 'x', mode: 'b' }).ignored[0]?.mark.why, 'b is as a')
  assert.deepEqual(warned({ mode: 'd' }), ['mode'])
  assert.deepEqual(warned({ flag: true }), [])
  assert.deepEqual(warned({ flag: false }), ['flag'])
  const { faults } = examine(schema, { name: 'x', mode: 'c' })
  assert.deepEqual(faults, [{ path: 'mode', problem: 'is not supported: c is bad' }])
})

test('marks: what is refused is a fault whatever is in it, what is dropped is gone', () => {
  const { faults } = examine(schema, { name: 'x', bad: 5 })
  assert.deepEqual(faults, [{ path: 'bad', problem: 'is not supported: never' }])
  assert.deepEqual(examine(schema, { name: 'x', bad: {} }).faults.length, 1)
  assert.deepEqual(examine(schema, { name: 'x', bads: [] }).faults, [])
  assert.deepEqual(examine(schema, { name: 'x', set: { a: 1 } }), { value: { name: 'x' }, faults: [], ignored: [] })
})

test('marks: what is ignored must fit all the same', () => {
  assert.deepEqual(examine(schema, { name: 'x', old: { deep: 'a' } }).faults[0]?.path, 'old.deep')
})

test('an empty optional text is absent on request', () => {
  const value = { name: '', note: '', level: '', kind: '', port: '', labels: { a: '' } }
  const { value: left, faults } = examine(schema, value, { emptyIsAbsent: true })
  assert.deepEqual(faults, [])
  assert.deepEqual(left, { name: '', kind: '', port: '', labels: { a: '' } })
  assert.equal(examine(schema, value).faults[0]?.path, 'level')
})

test('anything goes where anything may be', () => {
  for (const extra of [1, 'a', [null], { a: { b: [] } }]) {
    assert.deepEqual(examine(schema, { name: 'x', extra }).value, { name: 'x', extra })
  }
})

test('parse() heeds marks, too', () => {
  assert.throws(() => parse(schema, { name: 'x', bad: {} }, 'It'), { message: 'It: "bad" is not supported: never' })
  assert.deepEqual(parse(schema, { name: 'x', set: 1, old: { deep: 1 } }, 'It'), { name: 'x', old: { deep: 1 } })
})

test('marks and merge rules are annotations of JSON Schema', () => {
  const marked: Schema<unknown> = object({ a: optional(array(string(), { merge: 'set' }), ignored()) })
  assert.deepEqual(JSON.parse(JSON.stringify(marked)), {
    type: 'object',
    properties: { a: { type: 'array', items: { type: 'string' }, merge: 'set' } },
    required: [],
    additionalProperties: false,
    marks: { a: [{ verdict: 'ignored' }] },
  })
})
