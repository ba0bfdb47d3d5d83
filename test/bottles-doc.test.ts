import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withKeys } from '../scripts/compose-keys.ts'

test('docs/BOTTLES.md has the table of keys', () => {
  const text = readFileSync(new URL('../docs/BOTTLES.md', import.meta.url), 'utf8')
  assert.equal(text, withKeys(text), 'run scripts/node.sh scripts/make-bottles-doc.ts')
})
