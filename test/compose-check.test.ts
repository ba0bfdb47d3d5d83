import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { composeCheck } from '../scripts/compose-check.ts'

test('src/compose/schema-check.js is made of the schema', async () => {
  const text = readFileSync(new URL('../src/compose/schema-check.js', import.meta.url), 'utf8')
  assert.ok(text === (await composeCheck()), 'run scripts/node.sh scripts/make-compose-check.ts')
})
