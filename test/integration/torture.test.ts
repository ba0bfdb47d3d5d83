import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { torture } from '../torture/torture.ts'

runInOwnNamespaces(import.meta.filename)

test('nothing is lost and nothing leaks, whatever many clients ask for and whenever the daemon is killed', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  t.diagnostic(`npm run torture -- --minutes 0.5 --seed ${seed}`)
  const summary = await torture({ seed, seconds: 30 })
  t.diagnostic(JSON.stringify(summary))
  assert.deepEqual(summary.faults, [])
  assert.ok(summary.kills.bySignal + summary.kills.atPoints + summary.kills.toldToEnd >= 1)
  assert.ok((summary.operations['create: done'] ?? 0) > 0)
})
