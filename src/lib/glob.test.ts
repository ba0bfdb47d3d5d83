import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesGlob } from './glob.ts'

test('stars, question marks, slashes', () => {
  for (const [text, pattern, expected] of [
    ['alpine', 'alpine', true],
    ['alpine', 'alp*', true],
    ['alpine', '*pine', true],
    ['alpine', 'a*i*e', true],
    ['alpine', 'alp', false],
    ['alpine', 'alpin?', true],
    ['alpine', 'alpine?', false],
    ['alpine:3', 'alpine:*', true],
    ['team/app', '*', false],
    ['team/app', '*/*', true],
    ['team/app', 'team?app', false],
    ['', '', true],
    ['', '*', true],
    ['', '?', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['**', '*', true],
  ] as const) {
    assert.equal(matchesGlob(text, pattern), expected, `${text} ${pattern}`)
  }
})

test('as a regular expression says it', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 12 }).map((letters) => letters.join(''))
  const pattern = fc.array(fc.constantFrom('a', 'b', '/', '*', '?'), { maxLength: 8 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, pattern, (text, pattern) => {
      const expression = new RegExp(`^${pattern.replaceAll('?', '[^/]').replaceAll('*', '[^/]*')}$`)
      assert.equal(matchesGlob(text, pattern), expression.test(text))
    }),
  )
})
