import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sample, sampleSchema, samples } from '../../../../test/support/merge-samples.ts'
import { assertMergeable } from './assert-mergeable.ts'

const check = (object: unknown) => assertMergeable(sampleSchema, object, 'Sample "web"')

test('an object without equal entries is taken', () => {
  fc.assert(fc.property(samples, check))
  check(sample({ containers: null, emptyDir: null, selector: { a: 'b' } }))
})

test('equal entries are refused, by place', () => {
  assert.throws(() => check(sample({ containers: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] })), {
    code: 'invalid_argument',
    message:
      'Sample "web": "spec.containers[2]" repeats "spec.containers[0]": no two entries of this list may be equal in name',
  })
  const ports = [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }, { containerPort: 80, protocol: 'TCP' }]
  assert.throws(() => check(sample({ containers: [{ name: 'a', ports }] })), {
    message: /"spec\.containers\[0\]\.ports\[2\]" repeats ".*ports\[0\]".* equal in containerPort and protocol$/,
  })
  assert.throws(() => check(sample({}, { finalizers: ['x', 'x'] })), {
    message: /"metadata\.finalizers\[1\]" repeats "metadata\.finalizers\[0\]"/,
  })
})

test('an entry without keys is refused, by place', () => {
  for (const entry of [{ image: 'x' }, { name: null }, null, 'a']) {
    assert.throws(() => check(sample({ containers: [entry] })), {
      code: 'invalid_argument',
      message: 'Sample "web": "spec.containers[0]" has no name, by which the entries of this list are told apart',
    })
  }
  assert.throws(() => check(sample({}, { finalizers: [{}] })), { message: /must be a text/ })
})
