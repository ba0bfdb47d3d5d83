import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unifiedDiff } from './unified-diff.ts'

const NAMES = { from: 'live', to: 'merged' }

test('nothing for equal texts', () => {
  assert.equal(unifiedDiff('a\n', 'a\n', NAMES), '')
  assert.equal(unifiedDiff('', '', NAMES), '')
})

test('a change with three lines around it', () => {
  const before = '1\n2\n3\n4\n5\n6\n7\n8\n9\n'
  assert.equal(
    unifiedDiff(before, before.replace('5', 'five'), NAMES),
    '--- live\n+++ merged\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
  )
})

test('changes that are six lines apart share a hunk, others have one each', () => {
  const text = (length: number) => Array.from({ length }, (_, index) => `${index}\n`).join('')
  const ends = (length: number) => unifiedDiff(text(length), `x\n${text(length).slice(2)}y\n`, NAMES)
  assert.deepEqual(ends(7).match(/^@@.*$/gm), ['@@ -1,7 +1,8 @@'])
  assert.deepEqual(ends(8).match(/^@@.*$/gm), ['@@ -1,4 +1,4 @@', '@@ -6,3 +6,4 @@'])
})

test('ranges of no line and of one', () => {
  assert.equal(unifiedDiff('', 'a\n', NAMES), '--- live\n+++ merged\n@@ -0,0 +1 @@\n+a\n')
  assert.equal(unifiedDiff('a\nb\n', '', NAMES), '--- live\n+++ merged\n@@ -1,2 +0,0 @@\n-a\n-b\n')
  assert.equal(
    unifiedDiff('a\nb\nc\n', 'a\nb\n', { ...NAMES, context: 0 }),
    '--- live\n+++ merged\n@@ -3 +2,0 @@\n-c\n',
  )
})

test('a last line without an end', () => {
  assert.equal(
    unifiedDiff('a\nb', 'a\nb\n', NAMES),
    '--- live\n+++ merged\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n',
  )
  assert.equal(
    unifiedDiff('a\nb', 'x\nb', NAMES),
    '--- live\n+++ merged\n@@ -1,2 +1,2 @@\n-a\n+x\n b\n\\ No newline at end of file\n',
  )
})

test('an entry that is put into a list, or taken out, is shown as that entry', () => {
  const entry = (name: string) => `  - name: ${name}\n    image: web\n    tty: true\n`
  const list = (...names: string[]) => `containers:\n${names.map(entry).join('')}restartPolicy: Always\n`
  const marked = (text: string, sign: string) =>
    text
      .split('\n')
      .slice(3)
      .filter((line) => line.startsWith(sign))
      .map((line) => `${line.slice(1)}\n`)
      .join('')
  for (const [before, after] of [
    [
      ['a', 'c'],
      ['a', 'b', 'c'],
    ],
    [['a'], ['a', 'b']],
    [['c'], ['b', 'c']],
  ] as const) {
    assert.equal(marked(unifiedDiff(list(...before), list(...after), NAMES), '+'), entry('b'))
    assert.equal(marked(unifiedDiff(list(...after), list(...before), NAMES), '-'), entry('b'))
  }
})

test('applied to the one text it gives the other', () => {
  const text = fc
    .tuple(fc.array(fc.constantFrom('a', ' a', '  b', '', '-', '+x'), { maxLength: 25 }), fc.boolean())
    .map(([lines, ended]) => lines.join('\n') + (ended && lines.length > 0 ? '\n' : ''))
  fc.assert(
    fc.property(text, text, fc.nat({ max: 3 }), (before, after, context) => {
      assert.equal(applyDiff(before, unifiedDiff(before, after, { ...NAMES, context })), after)
    }),
    { numRuns: 500 },
  )
})

/** As `patch` does it; lines that do not fit fail. */
function applyDiff(text: string, diff: string): string {
  const rest = text.split(/(?<=\n)/)
  const done: string[] = []
  let passed = 0
  for (const hunk of diff.split(/^(?=@@ )/m).slice(1)) {
    const [, start, count = '1'] = /^@@ -(\d+)(?:,(\d+))? /.exec(hunk)!
    const skipped = Number(start) - (count === '0' ? 0 : 1) - passed
    done.push(...rest.splice(0, skipped))
    const lines = hunk.split(/(?<=\n)(?!\\)/).slice(1)
    const body = lines.map((line) => line.replace(/\n\\ No newline at end of file\n$/, ''))
    for (const line of body) {
      if (line[0] !== '+') assert.equal(rest.shift(), line.slice(1))
      if (line[0] !== '-') done.push(line.slice(1))
    }
    passed += skipped + body.filter((line) => line[0] !== '+').length
  }
  return [...done, ...rest].join('')
}
