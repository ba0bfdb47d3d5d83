import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tmpfsOptions } from './tmpfs-options.ts'

test("docker's defaults come first, and what is given wins", () => {
  assert.deepEqual(tmpfsOptions([]), ['noexec', 'nosuid', 'nodev', 'rprivate'])
  assert.deepEqual(tmpfsOptions(['size=64m', 'mode=1777']), [
    'noexec',
    'nosuid',
    'nodev',
    'rprivate',
    'size=64m',
    'mode=1777',
  ])
  assert.deepEqual(tmpfsOptions(['exec', 'size=1m', 'size=2m', 'rshared']), [
    'nosuid',
    'nodev',
    'exec',
    'size=2m',
    'rshared',
  ])
})

test('refuses what is no option of a tmpfs', () => {
  for (const option of [
    '',
    'size',
    'size=',
    'size=1x',
    'mode=9',
    'uid=root',
    'exec=1',
    'bind',
    'huge=a\0b',
    'lowerdir=/',
  ]) {
    assert.throws(() => tmpfsOptions([option]), { code: 'invalid_argument' }, option)
  }
})
