/** The calling thread's own view of the mounts. */
import { readFileSync } from 'node:fs'
import { check, libc } from './libc.ts'

const unshare = libc('int unshare(int)')
const mount = libc('int mount(const char*, const char*, const char*, unsigned long, const void*)')
const umount2 = libc('int umount2(const char*, int)')

const CLONE_FS = 0x200
const CLONE_NEWNS = 0x20000
const MS_SLAVE = 1 << 19
const MNT_DETACH = 2

/**
 * Moves the calling thread, never the main one, into a mount namespace of its own in which nothing is mounted on
 * `target`. Only the mount below `target` loses the way back to the old namespace; every other mount keeps its
 * propagation. Does nothing if `target` is no mount point.
 */
export function hideMount(target: string): void {
  const parent = parentMountPoint(readFileSync('/proc/thread-self/mountinfo', 'utf8'), target)
  if (parent === undefined) return
  check('unshare the mount namespace', unshare(CLONE_FS | CLONE_NEWNS))
  check(`make ${parent} a slave mount`, mount('none', parent, null, MS_SLAVE, null))
  check(`unmount ${target}`, umount2(target, MNT_DETACH))
}

/** Where the mount lies on which `target` is mounted, from the text of /proc/pid/mountinfo (proc(5)). */
export function parentMountPoint(mountinfo: string, target: string): string | undefined {
  const mounts = mountinfo.split('\n').map((line) => line.split(' '))
  const parentId = mounts.findLast((fields) => fields[4] === target)?.[1]
  return parentId === undefined ? undefined : mounts.find((fields) => fields[0] === parentId)?.[4]
}
