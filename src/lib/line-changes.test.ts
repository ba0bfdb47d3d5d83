import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lineChanges } from './line-changes.ts'

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 })

test('what is left of the two texts is the same, and as long as it can be', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const { deleted, inserted } = lineChanges(before, after)
      const kept = before.filter((_, index) => !deleted[index])
      assert.deepEqual(
        after.filter((_, index) => !inserted[index]),
        kept,
      )
      assert.equal(kept.length, longestCommon(before, after))
    }),
    { numRuns: 500 },
  )
})

test('texts of thousands of lines', () => {
  const before = Array.from({ length: 8_000 }, (_, index) => `line ${index}`)
  const after = before.flatMap((line, index) => (index % 7 === 0 ? ['new', line] : index % 5 === 0 ? [] : [line]))
  const { deleted, inserted } = lineChanges(before, after)
  assert.equal(inserted.filter(Boolean).length, Math.ceil(8_000 / 7))
  assert.equal(deleted.filter(Boolean).length, before.length - (after.length - Math.ceil(8_000 / 7)))
})

test('where nearly nothing is shared, all is replaced', () => {
  const before = Array.from({ length: 20_000 }, (_, index) => `a ${index}`)
  const after = before.map((line, index) => (index % 1_000 === 500 ? line : `b ${index}`))
  const { deleted, inserted } = lineChanges(before, after)
  assert.ok(deleted.every(Boolean))
  assert.ok(inserted.every(Boolean))
})

function longestCommon(before: readonly string[], after: readonly string[]): number {
  let row: number[] = new Array(after.length + 1).fill(0)
  for (const line of before) {
    const next = [0]
    after.forEach((other, index) => {
      next.push(line === other ? row[index]! + 1 : Math.max(row[index + 1]!, next[index]!))
    })
    row = next
  }
  return row.at(-1)!
}
