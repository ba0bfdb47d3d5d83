import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLayerCount, overlayOptions } from './overlay-options.ts'

test('overlayOptions() escapes what separates', () => {
  const options = overlayOptions({ layers: ['/a:b', '/c,d', '/e\\f'], upper: '/u,p:p', work: '/w' })
  assert.match(options!, /lowerdir=\/a\\:b:\/c\\,d:\/e\\\\f,upperdir=\/u\\,p:p,workdir=\/w$/)
})

test('overlayOptions() knows the page', () => {
  assert.equal(overlayOptions({ layers: Array.from({ length: 500 }, () => '/var/lib/condenser/l/abc') }), undefined)
  assert.notEqual(overlayOptions({ layers: Array.from({ length: 500 }, () => 'abc') }), undefined)
})

test('assertLayerCount() takes 500', () => {
  assertLayerCount(500)
  assert.throws(() => assertLayerCount(501), { code: 'invalid_argument' })
})
