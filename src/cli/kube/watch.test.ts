import assert from 'node:assert/strict'
import { test } from 'node:test'
import { samplePod } from '../../../test/support/kube-samples.ts'
import { isNews } from './watch.ts'

test('a watch begins with what was listed: only what is newer is news', () => {
  const at = (resourceVersion: string, uid = 'a') => samplePod({ metadata: { uid, resourceVersion } })
  const told = new Map([['a', 9]])
  assert.equal(isNews({ type: 'ADDED', object: at('9') }, told), false)
  assert.equal(isNews({ type: 'ADDED', object: at('8') }, told), false)
  assert.equal(isNews({ type: 'MODIFIED', object: at('10') }, told), true, 'versions are numbers')
  assert.equal(isNews({ type: 'ADDED', object: at('1', 'b') }, told), true)
  assert.equal(isNews({ type: 'DELETED', object: at('9') }, told), true)
})
