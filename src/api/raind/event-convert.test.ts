import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toEventSpan, wireEvent } from './event-convert.ts'

const event = {
  sequence: 7,
  timeNs: 1_767_323_045_600_000_001n,
  kind: 'Container',
  action: 'die',
  uid: 'c1',
  name: 'web',
  attributes: { exitCode: '0' },
}

test('wireEvent(): golden', () => {
  const wire = {
    sequence: 7,
    time: '2026-01-02T03:04:05.600000001Z',
    type: 'container',
    action: 'die',
    id: 'c1',
    name: 'web',
    attributes: { exitCode: '0' },
  }
  assert.deepEqual(wireEvent(event), wire)
  assert.deepEqual(wireEvent({ ...event, actor: { uid: 0 } }), { ...wire, actor: { uid: 0 } })
})

test('toEventSpan() tells sequences from times', () => {
  assert.deepEqual(toEventSpan({}), {})
  assert.deepEqual(toEventSpan({ since: '0' }), { after: 0 })
  assert.deepEqual(toEventSpan({ since: '999999999' }), { after: 999_999_999 })
  assert.deepEqual(toEventSpan({ since: '1767323045', until: '2026-01-02T03:04:05.600000001Z' }), {
    sinceNs: 1_767_323_045_000_000_000n,
    untilNs: 1_767_323_045_600_999_999n,
  })
  assert.throws(() => toEventSpan({ since: 'x' }), { code: 'invalid_argument' })
})
