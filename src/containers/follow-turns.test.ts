import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FollowTurns } from './follow-turns.ts'

const KIB = 1024

/** Undefined: it waits. */
async function atOnce(turns: FollowTurns): Promise<number | undefined> {
  return await Promise.race([turns.next(), turn(undefined)])
}

test('who follows a quiet log reads a little, at once, however many follow busy ones', async () => {
  const busy = Array.from({ length: 50 }, () => new FollowTurns())
  using quiet = new FollowTurns()
  for (const turns of busy) turns.found(4 * KIB, true)
  void Promise.all(busy.map((turns) => turns.next()))
  assert.equal(await atOnce(quiet), 4 * KIB)
  quiet.found(100, false)
  assert.equal(await atOnce(quiet), 4 * KIB)
  for (const turns of busy) turns[Symbol.dispose]()
})

test('a few who follow busy logs read much, and wait for nobody', async () => {
  using one = new FollowTurns()
  using other = new FollowTurns()
  for (let round = 0; round < 100; round++) {
    for (const turns of [one, other]) {
      turns.found(64 * KIB, true)
      assert.equal(await atOnce(turns), 64 * KIB)
    }
  }
})
