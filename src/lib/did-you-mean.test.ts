import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean } from './did-you-mean.ts'

test('didYouMean() offers what is near and nothing else', () => {
  assert.equal(didYouMean('publich', ['publish', 'volume']), 'publish')
  assert.equal(didYouMean('stpo', ['stop', 'start']), 'stop')
  assert.equal(didYouMean('images', ['stop', 'rm']), undefined)
})
