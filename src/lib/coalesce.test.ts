import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../test/support/eventually.ts'
import { coalesce } from './coalesce.ts'

test('calls that come together make one run, a call within a run one more, and none comes after the end', async () => {
  let runs = 0
  let atOnce = 0
  const finish: (() => void)[] = []
  const coalesced = coalesce(1, async () => {
    runs++
    atOnce++
    assert.equal(atOnce, 1)
    await new Promise<void>((resolve) => finish.push(resolve))
    atOnce--
  })
  const begun = (count: number) => eventually(() => finish.length >= count)
  for (let i = 0; i < 5; i++) coalesced.call()
  await begun(1)
  coalesced.call()
  coalesced.call()
  finish[0]!()
  await begun(2)
  finish[1]!()
  await sleep(5)
  assert.equal(runs, 2)
  coalesced.call()
  coalesced[Symbol.dispose]()
  coalesced.call()
  await sleep(5)
  assert.equal(runs, 2)
})
