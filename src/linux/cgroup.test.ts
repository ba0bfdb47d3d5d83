import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cgroupHierarchies, cgroupMode, containerCgroup } from './cgroup.ts'

const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot'
const V1 = `24 23 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
25 24 0:22 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
26 24 0:23 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
27 24 0:24 / /mnt/memory rw - cgroup cgroup rw,memory`
const UNIFIED = '28 24 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw'

test('hierarchies are read from the mounts below /sys/fs/cgroup', () => {
  assert.deepEqual(cgroupHierarchies(V2), [{ version: 2, mountPoint: '/sys/fs/cgroup', controllers: [] }])
  assert.deepEqual(cgroupHierarchies(V1), [
    { version: 1, mountPoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
    { version: 1, mountPoint: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
  ])
})

test('a host is hybrid if it has both versions', () => {
  assert.equal(cgroupMode(cgroupHierarchies(V2)), 'v2')
  assert.equal(cgroupMode(cgroupHierarchies(V1)), 'v1')
  assert.equal(cgroupMode(cgroupHierarchies(`${V1}\n${UNIFIED}`)), 'hybrid')
})

test('a container has its cgroup below the parent', () => {
  assert.equal(containerCgroup('/condenser', 'abc'), '/condenser/abc')
  assert.equal(containerCgroup('condenser/', 'abc'), '/condenser/abc')
})
