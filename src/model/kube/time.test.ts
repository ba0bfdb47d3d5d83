import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubeTime } from './time.ts'

test('kubeTime(): whole seconds; what is after the last year, as with a grace of ages, is its end', () => {
  assert.equal(kubeTime(Date.UTC(2025, 0, 31, 12) + 999), '2025-01-31T12:00:00Z')
  assert.equal(kubeTime(0), '1970-01-01T00:00:00Z')
  assert.equal(kubeTime(Date.UTC(10_000, 0)), '9999-12-31T23:59:59Z')
  assert.equal(kubeTime(Number.MAX_SAFE_INTEGER * 1000), '9999-12-31T23:59:59Z')
})
