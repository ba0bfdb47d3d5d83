import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../lib/errors.ts'
import { matchesLabels, parseLabelTerm } from './label-term.ts'

test('keys, values, and what is not so', () => {
  const labels = { app: 'web', empty: '', url: 'a=b' }
  for (const [texts, expected] of [
    [[], true],
    [['app'], true],
    [['app=web'], true],
    [['app=db'], false],
    [['app='], false],
    [['empty='], true],
    [['url=a=b'], true],
    [['toString'], false],
    [['!app'], false],
    [['!app=db'], true],
    [['!other'], true],
    [['app', '!empty'], false],
  ] as const) {
    assert.equal(matchesLabels(labels, texts.map(parseLabelTerm)), expected, texts.join(' '))
  }
})

test('a term without a key is refused', () => {
  for (const text of ['', '=x', '!', '!=x']) {
    assert.throws(
      () => parseLabelTerm(text),
      (error) => hasCode(error, 'invalid_argument'),
      text,
    )
  }
})
