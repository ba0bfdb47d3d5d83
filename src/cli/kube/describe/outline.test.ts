import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outline, timeText } from './outline.ts'

test('values stand in one column, further lines under them', () => {
  const text = outline([
    ['Name', 'web'],
    ['Labels', ['app=web', 'tier=front']],
    ['Annotations', []],
    ['Gone', undefined],
    ['  Reason', 'a\nb'],
    ['Empty', ''],
  ])
  assert.equal(
    text,
    [
      'Name:         web',
      'Labels:       app=web',
      '              tier=front',
      'Annotations:  <none>',
      '  Reason:     a',
      '              b',
      'Empty:',
      '',
    ].join('\n'),
  )
})

test('what stands below is indented, and does not widen the column', () => {
  const inner = outline([
    ['Image', 'busybox'],
    ['  A name that is long', { below: 'x\n\ny\n' }],
  ])
  const text = outline([
    ['Containers', { below: outline([['app', { below: inner }]]) }],
    ['QoS', 'Burstable'],
  ])
  const lines = [
    'Containers:',
    '  app:',
    '    Image:  busybox',
    '      A name that is long:',
    '        x',
    '',
    '        y',
    'QoS:  Burstable',
    '',
  ]
  assert.equal(text, lines.join('\n'))
})

test('timeText() is RFC 1123 in UTC', () => {
  assert.equal(timeText('2025-01-31T12:00:05Z'), 'Fri, 31 Jan 2025 12:00:05 +0000')
  assert.equal(timeText(undefined), undefined)
})
