import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { shellWords } from './shell-words.ts'

test('words are split as a shell would', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['  a  b\tc\nd ', ['a', 'b', 'c', 'd']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`sh -c 'echo "$A"'`, ['sh', '-c', 'echo "$A"']],
    [`a'b'"c"\\ d`, ['abc d']],
    [`'' ""`, ['', '']],
    [`"a\\"b\\\\c\\$d\\e"`, ['a"b\\c$d\\e']],
    ['a \\\n b', ['a', 'b']],
    ['a && b | c > d; e', ['a', '&&', 'b', '|', 'c', '>', 'd;', 'e']],
    ['[-f, "x"]', ['[-f,', 'x]']],
  ]
  for (const [text, words] of cases) assert.deepEqual(shellWords(text), words, text)
})

test('what is open at the end is refused', () => {
  for (const text of [`'a`, `"a`, `"a\\"`, 'a\\']) assert.throws(() => shellWords(text), /not closed/, text)
})

test('quoted words come back', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      const single = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
      const double = words.map((word) => `"${word.replaceAll(/[$`"\\]/g, '\\$&')}"`).join('  ')
      assert.deepEqual(shellWords(single), words)
      assert.deepEqual(shellWords(double), words)
    }),
  )
})
