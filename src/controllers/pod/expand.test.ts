import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { expandVariables } from './expand.ts'

const variables = new Map([
  ['VAR_A', 'A'],
  ['VAR_B', 'B'],
  ['VAR_C', 'C'],
  ['VAR_REF', '$(VAR_A)'],
  ['VAR_EMPTY', ''],
  ['odd name', 'odd'],
])

test('expandVariables() has the rules of third_party/forked/golang/expansion', () => {
  const cases: readonly [string, string][] = [
    ['$(VAR_A)', 'A'],
    ['___$(VAR_B)___', '___B___'],
    ['___$(VAR_C)', '___C'],
    ['$(VAR_A)-$(VAR_A)', 'A-A'],
    ['$(VAR_REF)-1', '$(VAR_A)-1'],
    ['%%$(VAR_REF)--$(VAR_REF)%%', '%%$(VAR_A)--$(VAR_A)%%'],
    ['foo$(VAR_EMPTY)bar', 'foobar'],
    ['foo\\$(VAR_A)bar', 'foo\\Abar'],
    ['foo$$(VAR_A)bar', 'foo$(VAR_A)bar'],
    ['foo$$$(VAR_A)bar', 'foo$Abar'],
    ['foo$$$$(VAR_A)bar', 'foo$$(VAR_A)bar'],
    ['$(VAR_A$(VAR_B)', '$(VAR_A$(VAR_B)'],
    ['f000-$$VAR_A', 'f000-$VAR_A'],
    ['foo\\\\$(VAR_C)bar', 'foo\\\\Cbar'],
    ['$?_boo_$!', '$?_boo_$!'],
    ['$VAR_A', '$VAR_A'],
    ['$[VAR_A]', '$[VAR_A]'],
    ['$(UNKNOWN)', '$(UNKNOWN)'],
    ['$()', '$()'],
    ['$(VAR_A', '$(VAR_A'],
    ['$', '$'],
    ['$$', '$'],
    ['$$$', '$$'],
    ['', ''],
    ['$(odd name)', 'odd'],
    ['a\n$(VAR_A)\n', 'a\nA\n'],
  ]
  for (const [text, expected] of cases) assert.equal(expandVariables(text, variables), expected, text)
})

test('expandVariables() leaves alone what has no dollar, and an escaped text comes out as it was', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(expandVariables(text.replaceAll('$', ''), variables), text.replaceAll('$', ''))
      assert.equal(expandVariables(text.replaceAll('$', '$$$$'), variables), text)
    }),
  )
})
