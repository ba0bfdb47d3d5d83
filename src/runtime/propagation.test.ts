import assert from 'node:assert/strict'
import { test } from 'node:test'
import { propagationOf } from './propagation.ts'

const MOUNTINFO = `22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:25 / /srv rw shared:5 - tmpfs none rw
31 30 0:26 / /srv/my\\040data rw,nosuid shared:6 master:2 - tmpfs none rw
32 30 0:27 / /srv/slave rw master:3 - tmpfs none rw
33 32 0:28 / /srv/slave rw - tmpfs on-top rw
`

test('the propagation of a path is that of the topmost mount that holds it', () => {
  const of = (path: string) => propagationOf(path, MOUNTINFO)
  assert.deepEqual(of('/etc'), { mountPoint: '/', isShared: false, isSlave: false })
  assert.deepEqual(of('/srv/x'), { mountPoint: '/srv', isShared: true, isSlave: false })
  assert.deepEqual(of('/srvx'), { mountPoint: '/', isShared: false, isSlave: false })
  assert.deepEqual(of('/srv/my data/x'), { mountPoint: '/srv/my data', isShared: true, isSlave: true })
  assert.deepEqual(of('/srv/slave'), { mountPoint: '/srv/slave', isShared: false, isSlave: false })
})
