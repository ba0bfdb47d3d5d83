import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ParsedLists } from './parsed-lists.ts'

const text = (name: string, message?: string) =>
  JSON.stringify({ metadata: { name, labels: {} }, spec: {}, status: { message } })

test('what has not changed is parsed once, what has changed anew', () => {
  const lists = new ParsedLists()
  const [a, b] = lists.parse('Container', [text('a'), text('b')])
  const again = lists.parse('Container', [text('b'), text('a', 'changed')])
  assert.equal(again[0], b)
  assert.notEqual(again[1], a)
  assert.deepEqual(JSON.parse(JSON.stringify(again[1])), JSON.parse(text('a', 'changed')))
})

test('a list is known by the revision that it was committed at, and cannot be changed by who got it', () => {
  const lists = new ParsedLists()
  const list = lists.parse('Container', [text('a')], 7)
  list.pop()
  assert.equal(lists.known('Container', 7)?.length, 1)
  lists.known('Container', 7)!.pop()
  assert.equal(lists.known('Container', 7)?.length, 1)
  assert.equal(lists.known('Container', 8), undefined)
  assert.equal(lists.known('Sandbox', 7), undefined)
  lists.parse('Container', [text('a'), text('b')])
  assert.equal(lists.known('Container', 7), undefined)
  assert.equal(lists.known('Container', undefined), undefined)
})

test('kinds do not share, and what left the list is forgotten', () => {
  const lists = new ParsedLists()
  const [a] = lists.parse('Container', [text('a')])
  assert.notEqual(lists.parse('Sandbox', [text('a')])[0] as unknown, a)
  lists.parse('Container', [])
  assert.notEqual(lists.parse('Container', [text('a')])[0], a)
})

test('an object cannot be changed by who got it', () => {
  const [object] = new ParsedLists().parse('Container', [text('a')])
  assert.throws(() => Object.assign(object!.metadata.labels, { x: 'y' }), TypeError)
})
