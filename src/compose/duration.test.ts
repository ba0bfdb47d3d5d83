import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from './duration.ts'

test('durations are those of the specification', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['10ms', 10],
    ['40s', 40_000],
    ['1m30s', 90_000],
    ['1h5m30s20ms', 3_930_020],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
    ['1500us', 2],
    ['0', 0],
    ['0s', 0],
  ]
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text)
  for (const text of ['', '10', '-1s', '1 s', 's', '1m30', '1x', '1e3s', '999999999999999w']) {
    assert.equal(parseDuration(text), undefined, text)
  }
})
