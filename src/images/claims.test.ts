import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Claims } from './claims.ts'

test('what two hold is free when both have let go', () => {
  const claims = new Claims()
  const first = claims.hold(['a', 'b'])
  const second = claims.hold(['a'])
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  assert.deepEqual([claims.has('a'), claims.has('b')], [true, false])
  second[Symbol.dispose]()
  assert.equal(claims.has('a'), false)
})

test('a watch remembers claims made before and during it', () => {
  const claims = new Claims()
  const before = claims.hold(['before'])
  claims.hold(['past'])[Symbol.dispose]()
  using watch = claims.watch()
  before[Symbol.dispose]()
  claims.hold(['during'])[Symbol.dispose]()
  assert.deepEqual([watch.has('before'), watch.has('during'), watch.has('past')], [true, true, false])
})
