import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { sleep, startTimer } from './long-timer.ts'

const DAY_MS = 24 * 3600 * 1000
/** Of setTimeout. */
const LONGEST_MS = 2 ** 31 - 1

test('startTimer(): what setTimeout cannot wait for is not up at once', async () => {
  let calls = 0
  using _month = startTimer(30 * DAY_MS, () => calls++)
  using _ever = startTimer(Infinity, () => calls++)
  await setTimeout(20)
  assert.equal(calls, 0)
})

test('startTimer(): it is up when its time is, and once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let calls = 0
  startTimer(2 * LONGEST_MS + 5, () => calls++)
  for (const [ms, wanted] of [
    [LONGEST_MS, 0],
    [LONGEST_MS, 0],
    [4, 0],
    [1, 1],
    [LONGEST_MS, 1],
  ] as const) {
    t.mock.timers.tick(ms)
    assert.equal(calls, wanted)
  }
})

test('startTimer(): one that is disposed of calls nobody, whatever part of its time has passed', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const after of [0, 30, 60]) {
    const timer = startTimer(90 * DAY_MS, () => assert.fail('it was disposed of'))
    for (let day = 0; day < after; day++) t.mock.timers.tick(DAY_MS)
    timer[Symbol.dispose]()
  }
  for (let day = 0; day < 100; day++) t.mock.timers.tick(DAY_MS)
})

test('sleep(): ends with its time or its signal, which may have ended already', async () => {
  const ending = new AbortController()
  await sleep(1, ending.signal)
  const long = sleep(30 * DAY_MS, ending.signal)
  ending.abort()
  await long
  await sleep(30 * DAY_MS, ending.signal)
})
