import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from './histogram.ts'

test('each bucket counts what is not above its bound, and the last one all', () => {
  const histogram = new Histogram([0.1, 1])
  for (const value of [0, 0.1, 0.1000001, 1, 5]) histogram.observe(value)
  assert.deepEqual(histogram.data(), {
    buckets: [
      { upTo: 0.1, count: 2 },
      { upTo: 1, count: 4 },
      { upTo: Number.POSITIVE_INFINITY, count: 5 },
    ],
    sum: 0 + 0.1 + 0.1000001 + 1 + 5,
    count: 5,
  })
  assert.deepEqual(new Histogram([]).data(), {
    buckets: [{ upTo: Number.POSITIVE_INFINITY, count: 0 }],
    sum: 0,
    count: 0,
  })
})
