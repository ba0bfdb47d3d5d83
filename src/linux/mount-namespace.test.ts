import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parentMountPoint } from './mount-namespace.ts'

const MOUNTINFO = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:22 / /sys rw,relatime shared:2 - sysfs sysfs rw
30 23 0:27 / /sys/fs/cgroup rw,relatime shared:9 - tmpfs tmpfs rw,mode=755
31 30 0:28 / /sys/fs/cgroup/cpu rw,relatime shared:10 - cgroup cgroup rw,cpu
40 30 0:37 / /sys/fs/cgroup/unified rw,relatime shared:11 - cgroup2 cgroup2 rw
`

test('the parent of a mount is found, whatever comes between their paths', () => {
  assert.equal(parentMountPoint(MOUNTINFO, '/sys/fs/cgroup/unified'), '/sys/fs/cgroup')
  assert.equal(parentMountPoint(MOUNTINFO, '/sys'), '/')
  assert.equal(parentMountPoint(MOUNTINFO, '/sys/fs/cgroup/unified/x'), undefined)
})
