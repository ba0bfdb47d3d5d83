import { readFileSync } from 'node:fs'
import { check, errno, libc, SysError } from './libc.ts'

const native = {
  mount: libc('int mount(const char*, const char*, const char*, unsigned long, const char*)'),
  umount2: libc('int umount2(const char*, int)'),
}

export const MS_RDONLY = 0x1
export const MS_NOSUID = 0x2
export const MS_NODEV = 0x4
export const MS_NOEXEC = 0x8
export const MS_BIND = 0x1000
export const MS_SHARED = 0x100000

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

/** Makes `path` a mount of its own (once) whose mounts are seen in the namespaces made from this one. */
export function bindShared(path: string): void {
  mount(path, path, null, MS_BIND, null)
  mount('none', path, null, MS_SHARED, null)
}

/** Lazy, and of the topmost mount only. @returns false if nothing was mounted there */
export function unmount(target: string): boolean {
  if (native.umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) === 0) return true
  const number = errno()
  if (number === EINVAL || number === ENOENT) return false
  throw new SysError(`umount ${target}`, number)
}

/** Whether something is mounted at exactly this path, in this thread's namespace. */
export function isMountPoint(path: string): boolean {
  const mountinfo = readFileSync('/proc/thread-self/mountinfo', 'utf8')
  return mountinfo.split('\n').some((line) => line.split(' ')[4] === path)
}
