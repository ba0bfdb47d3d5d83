/**
 * Network namespaces kept alive by a bind mount. Everything here is synchronous, and the thread is back in its own
 * namespace when a call returns: if it cannot go back the process aborts, because a daemon that works on in
 * a container's network is worse than none.
 */
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { systemCode } from '../lib/errors.ts'
import { check, errno, libc, SysError } from './libc.ts'

const unshare = libc('int unshare(int)')
const setns = libc('int setns(int, int)')
const mount = libc('int mount(const char*, const char*, const char*, unsigned long, const void*)')
const umount2 = libc('int umount2(const char*, int)')
const abort = libc('void abort(void)')

const CLONE_NEWNET = 0x40000000
const MS_BIND = 1 << 12
const MNT_DETACH = 2
/** Not /proc/self: that is the main thread. */
const OWN_NETNS = '/proc/thread-self/ns/net'

/** Makes a namespace with nothing in it but a `lo` that is down. @throws EEXIST if there is a file at `path` */
export function createNetns(path: string): void {
  closeSync(openSync(path, 'wx', 0o444))
  try {
    awayFromHome(() => {
      check('unshare the network namespace', unshare(CLONE_NEWNET))
      check(`mount a network namespace at ${path}`, mount(OWN_NETNS, path, null, MS_BIND, null))
    })
  } catch (error) {
    unlinkSync(path)
    throw error
  }
}

/** Keeps a namespace that is in use alive at a path, too; `source` is a file that stands for it. @throws EEXIST */
export function bindNetns(path: string, source: string): void {
  closeSync(openSync(path, 'wx', 0o444))
  try {
    check(`mount a network namespace at ${path}`, mount(source, path, null, MS_BIND, null))
  } catch (error) {
    unlinkSync(path)
    throw error
  }
}

/** The namespace ends with its last process and socket; the kernel then removes its links. Idempotent. */
export function removeNetns(path: string): void {
  if (umount2(path, MNT_DETACH) < 0) {
    const error = new SysError(`unmount ${path}`, errno())
    if (error.code === 'ENOENT') return
    if (error.code !== 'EINVAL') throw error
  }
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** Runs `fn` in the namespace; it must be synchronous and start nothing that runs on other threads. */
export function inNetns<T>(path: string, fn: () => T): T {
  const target = openSync(path, 'r')
  try {
    return awayFromHome(() => {
      check(`enter network namespace ${path}`, setns(target, CLONE_NEWNET))
      return fn()
    })
  } finally {
    closeSync(target)
  }
}

function awayFromHome<T>(fn: () => T): T {
  const home = openSync(OWN_NETNS, 'r')
  try {
    return fn()
  } finally {
    if (setns(home, CLONE_NEWNET) < 0) abort()
    closeSync(home)
  }
}
