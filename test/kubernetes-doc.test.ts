import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withFields } from '../scripts/kubernetes-fields.ts'

test('docs/KUBERNETES.md has the fields of the schemas', () => {
  const text = readFileSync(new URL('../docs/KUBERNETES.md', import.meta.url), 'utf8')
  assert.equal(text, withFields(text), 'run scripts/node.sh scripts/make-kubernetes-doc.ts')
})
