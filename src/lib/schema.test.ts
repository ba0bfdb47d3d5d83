import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from './errors.ts'
import {
  anyOf,
  array,
  boolean,
  integer,
  map,
  number,
  object,
  oneOf,
  optional,
  parse,
  type Schema,
  string,
} from './schema.ts'

const schema = object({
  name: string({ minLength: 1, maxLength: 5, pattern: '^[a-z]*$', description: 'lower-case letters' }),
  count: optional(integer({ minimum: 1, maximum: 9 })),
  share: optional(number()),
  on: optional(boolean()),
  level: optional(oneOf('low', 'high')),
  list: optional(array(object({ port: integer() }), { maxItems: 2 })),
  labels: optional(map(string())),
  memory: optional(anyOf(integer(), string())),
})

function messageOf(value: unknown, of: Schema<unknown> = schema): string {
  try {
    parse(of, value, 'The request')
  } catch (error) {
    assert(error instanceof StatusError && error.code === 'invalid_argument')
    return error.message
  }
  throw new Error(`${JSON.stringify(value)} was taken`)
}

test('parse() returns what fits, without nulls', () => {
  const value = {
    name: 'abc',
    count: null,
    share: 0.5,
    on: false,
    level: 'low',
    list: [{ port: 1 }],
    labels: { a: 'b' },
    memory: '64m',
  }
  const { count: _, ...rest } = value
  assert.deepEqual(parse(schema, value, 'The request'), rest)
  assert.deepEqual(parse(schema, { name: 'a', memory: 5 }, 'The request'), { name: 'a', memory: 5 })
})

test('parse() says what is wrong, and where', () => {
  const cases: readonly [unknown, string][] = [
    [[], 'The request must be an object, not a list'],
    [null, 'The request must be an object, not null'],
    ['x', 'The request must be an object, not "x"'],
    [{}, 'The request: "name" is missing'],
    [{ name: null }, 'The request: "name" is missing'],
    [{ name: 5 }, 'The request: "name" must be lower-case letters, not 5'],
    [{ name: '' }, 'The request: "name" must not be empty'],
    [{ name: 'abcdef' }, 'The request: "name" may have at most 5 characters'],
    [{ name: 'A' }, 'The request: "name" must be lower-case letters, not "A"'],
    [{ name: 'a\0' }, 'The request: "name" must not contain a NUL character'],
    [{ name: 'a', count: 0 }, 'The request: "count" must be at least 1, not 0'],
    [{ name: 'a', count: 10 }, 'The request: "count" must be at most 9, not 10'],
    [{ name: 'a', count: 1.5 }, 'The request: "count" must be an integer, not 1.5'],
    [{ name: 'a', count: 1e300 }, 'The request: "count" must be an integer, not 1e+300'],
    [{ name: 'a', count: '1' }, 'The request: "count" must be an integer, not "1"'],
    [{ name: 'a', on: 'yes' }, 'The request: "on" must be true or false, not "yes"'],
    [{ name: 'a', level: 'x' }, 'The request: "level" must be one of low, high, not "x"'],
    [{ name: 'a', list: {} }, 'The request: "list" must be a list, not an object'],
    [{ name: 'a', list: [1, 2, 3] }, 'The request: "list" may have at most 2 entries, not 3'],
    [{ name: 'a', list: [{ port: 1 }, { port: [] }] }, 'The request: "list[1].port" must be an integer, not a list'],
    [{ name: 'a', list: [{}] }, 'The request: "list[0].port" is missing'],
    [{ name: 'a', list: [{ port: 1, ip: 2 }] }, 'The request has an unknown field "list[0].ip"; known are: port'],
    [{ name: 'a', labels: { x: 1 } }, 'The request: "labels.x" must be a string, not 1'],
    [{ name: 'a', memory: true }, 'The request: "memory" must be an integer or a string, not true'],
    [{ name: 'a', memory: 1.5 }, 'The request: "memory" must be an integer, not 1.5'],
  ]
  for (const [value, message] of cases) assert.equal(messageOf(value), message)
})

test('parse() names unknown fields, whatever they are called', () => {
  const bad = JSON.parse('{"name":"a","__proto__":{"x":1}}')
  assert.match(messageOf(bad), /unknown field "__proto__"; known are: name, count/)
  assert.match(messageOf({ name: 'a', constructor: 1 }), /unknown field "constructor"/)
  assert.match(messageOf({ x: 1 }, object({})), /unknown field "x"; known are: none/)
})

test('parse() keeps __proto__ a plain key of a map', () => {
  const labels = parse(map(string()), JSON.parse('{"__proto__":"x"}'), 'The request')
  assert.deepEqual(Object.entries(labels), [['__proto__', 'x']])
  assert.equal(Object.getPrototypeOf(labels), Object.prototype)
})

test('a schema is JSON Schema', () => {
  assert.deepEqual(object({ a: string(), b: optional(array(oneOf('x'))) }), {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'array', items: { enum: ['x'] } } },
    required: ['a'],
    additionalProperties: false,
  })
})
