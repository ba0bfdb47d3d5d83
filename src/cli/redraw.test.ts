import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redraw } from './redraw.ts'

const WIDE = { columns: 80, rows: 24 }

test('a table is drawn over the last one, and what is left of that is erased', () => {
  assert.deepEqual(redraw('NAME\na\nb\n', 0, WIDE), { text: '\rNAME\x1b[K\na\x1b[K\nb\x1b[K\n\x1b[J', lines: 3 })
  assert.deepEqual(redraw('NAME\na\n', 3, WIDE), { text: '\r\x1b[3ANAME\x1b[K\na\x1b[K\n\x1b[J', lines: 2 })
})

test('it is cut to what the terminal has', () => {
  assert.equal(redraw('grüße, welt\n', 0, { columns: 5, rows: 24 }).text, '\rgrüße\x1b[K\n\x1b[J')
  const tall = redraw(`NAME\n${'a\n'.repeat(10)}`, 0, { columns: 80, rows: 5 })
  assert.deepEqual([tall.lines, tall.text], [4, '\rNAME\x1b[K\na\x1b[K\na\x1b[K\n... and 8 more\x1b[K\n\x1b[J'])
  for (const unknown of [undefined, 0]) {
    assert.equal(redraw('NAME\na\nb\n', 0, { columns: unknown, rows: unknown }).text.split('\n')[2], 'b\x1b[K')
  }
})
