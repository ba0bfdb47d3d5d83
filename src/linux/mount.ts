import { readFileSync } from 'node:fs'
import { callOffThread, check, errno, libc, SysError } from './libc.ts'

const native = {
  mount: libc('int mount(const char*, const char*, const char*, unsigned long, const char*)'),
  umount2: libc('int umount2(const char*, int)'),
  syscall: libc('long syscall(long, int, const char*, unsigned int)'),
}

export const MS_RDONLY = 0x1
export const MS_NOSUID = 0x2
export const MS_NODEV = 0x4
export const MS_NOEXEC = 0x8
export const MS_REMOUNT = 0x20
export const MS_BIND = 0x1000
export const MS_REC = 0x4000
export const MS_PRIVATE = 0x40000
export const MS_SLAVE = 0x80000
export const MS_SHARED = 0x100000

/** The same number on every architecture. */
const SYS_OPEN_TREE = 428
const OPEN_TREE_CLONE = 1
const OPEN_TREE_CLOEXEC = 0o2000000
const AT_RECURSIVE = 0x8000
const AT_FDCWD = -100

const MNT_DETACH = 0x2
const UMOUNT_NOFOLLOW = 0x8
const ENOENT = 2
const EINVAL = 22

/** mount(2). @throws {SysError} */
export function mount(
  source: string,
  target: string,
  type: string | null,
  flags: number,
  options: string | null,
): void {
  check(`mount ${type ?? ''} on ${target}`, native.mount(source, target, type, flags, options))
}

/** The same off this thread, for filesystems that write to a disk when they are mounted. */
export async function mountOffThread(...args: Parameters<typeof mount>): Promise<void> {
  const [, target, type] = args
  const result = await callOffThread(native.mount, ...args)
  if (result < 0) throw new SysError(`mount ${type ?? ''} on ${target}`, -result)
}

/** Makes `path` a mount of its own (once) whose mounts are seen in the namespaces made from this one. */
export function bindShared(path: string): void {
  mount(path, path, null, MS_BIND, null)
  mount('none', path, null, MS_SHARED, null)
}

/**
 * A copy of the mount at `path` and of all mounts below it, in no namespace: gone with the descriptor (open_tree(2)). Unlike
 * the descriptor of a mount that is unmounted, it can be walked by openat2(2) through every symlink.
 */
export function cloneMounts(path: string): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE
  return check(`clone the mounts on ${path}`, native.syscall(SYS_OPEN_TREE, AT_FDCWD, path, flags))
}

/** Lazy, and of the topmost mount only. @returns false if nothing was mounted there */
export function unmount(target: string): boolean {
  return wasMounted(target, native.umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) === 0 ? 0 : errno())
}

/**
 * The same off this thread. The kernel writes back all of the file system on which an overlay has its upper directory,
 * whoever wrote it, before the overlay has gone: that takes seconds where much was written.
 */
export async function unmountOffThread(target: string): Promise<boolean> {
  const result = await callOffThread(native.umount2, target, MNT_DETACH | UMOUNT_NOFOLLOW)
  return wasMounted(target, -result)
}

function wasMounted(target: string, number: number): boolean {
  if (number === 0) return true
  if (number === EINVAL || number === ENOENT) return false
  throw new SysError(`umount ${target}`, number)
}

/** The mounts of this thread's namespace (proc(5)). With hundreds of them the kernel takes some ms to write it. */
export function readMountinfo(): string {
  return readFileSync('/proc/thread-self/mountinfo', 'utf8')
}

/** Whether something is mounted at exactly this path. */
export function isMountPoint(path: string, mountinfo = readMountinfo()): boolean {
  return mountinfo.split('\n').some((line) => line.split(' ')[4] === path)
}
