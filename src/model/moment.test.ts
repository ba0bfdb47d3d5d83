import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../lib/errors.ts'
import { parseMoment } from './moment.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')

test('how long ago, times, dates, seconds since the epoch', () => {
  for (const [text, ms] of [
    ['90s', NOW - 90_000],
    ['1h30m', NOW - 5_400_000],
    ['1.5h', NOW - 5_400_000],
    ['250ms', NOW - 250],
    ['2d', NOW - 172_800_000],
    ['0s', NOW],
    ['2026-01-31T12:00:00Z', Date.UTC(2026, 0, 31, 12)],
    ['2026-01-31T12:00:00.5+02:00', Date.UTC(2026, 0, 31, 10, 0, 0, 500)],
    ['2026-01-31T12:00', new Date(2026, 0, 31, 12).getTime()],
    ['2026-01-31', new Date(2026, 0, 31).getTime()],
    ['1700000000', 1_700_000_000_000],
    ['1700000000.25', 1_700_000_000_250],
  ] as const) {
    assert.equal(parseMoment('until', text, NOW), ms, text)
  }
})

test('what is none is refused', () => {
  for (const text of ['', 'yesterday', '1x', '-1h', '1h ', '2026-13-01', '2026-01-31 12:00', '1e9', '9'.repeat(400)]) {
    assert.throws(
      () => parseMoment('until', text, NOW),
      (error) => hasCode(error, 'invalid_argument'),
      text,
    )
  }
})

test('any text is a finite number or refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        assert.ok(Number.isFinite(parseMoment('until', text, NOW)))
      } catch (error) {
        assert.ok(hasCode(error, 'invalid_argument'))
      }
    }),
  )
})
