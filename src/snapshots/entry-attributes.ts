import { constants } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import type { TarEntry } from '../lib/tar/entry.ts'
import {
  check,
  fchmod,
  fchmodat,
  fchown,
  futimens,
  lchownat,
  lstatat,
  lutimesat,
  makeDevice,
  mknodat,
  symlinkat,
} from '../linux/at-calls.ts'
import { SysError } from '../linux/libc.ts'
import { fsetxattr, lsetxattr } from '../linux/xattr.ts'
import { isDirectory } from './layer-tree.ts'
import { isLayerXattr, xattrPath } from './overlay-marks.ts'

const { S_IFCHR, S_IFBLK, S_IFIFO } = constants

/** setuid, setgid, sticky: chown clears them, so they are set after it. */
export const SPECIAL_BITS = 0o7000

type Attributes = Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>

/** Of a file that was made with the permission bits. File capabilities must follow the last write and the chown. */
export function setFileAttributes(file: number, { mode, uid, gid, mtime, xattrs }: Attributes): void {
  if (uid !== 0 || gid !== 0) check('chown', fchown(file, uid, gid))
  if ((mode & SPECIAL_BITS) !== 0) check('chmod', fchmod(file, mode))
  if (xattrs !== undefined) setXattrs(xattrs, (name, value) => fsetxattr(file, name, value))
  check('utimens', futimens(file, mtime))
}

/** Makes a symlink, FIFO or device node. The result is the kernel's. */
export function makeSpecial(parent: number, name: string, entry: TarEntry): number {
  if (entry.type === 'symlink') return symlinkat(entry.linkPath, parent, name)
  const { type, mode, major, minor } = entry
  const kind = type === 'character' ? S_IFCHR : type === 'block' ? S_IFBLK : S_IFIFO
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) {
    throw new StatusError('invalid_argument', `There is no device ${major}:${minor}`)
  }
  return mknodat(parent, name, kind | (mode & ~SPECIAL_BITS), type === 'fifo' ? 0 : makeDevice(major, minor))
}

export function setSpecialAttributes(parent: number, name: string, entry: TarEntry): void {
  const { type, mode, uid, gid, mtime, xattrs } = entry
  if (uid !== 0 || gid !== 0) check('chown', lchownat(parent, name, uid, gid))
  // A symlink has no mode of its own.
  if (type !== 'symlink' && (mode & SPECIAL_BITS) !== 0) check('chmod', fchmodat(parent, name, mode))
  const path = xattrPath(parent, name)
  if (xattrs !== undefined) setXattrs(xattrs, (key, value) => lsetxattr(path, key, value))
  check('utimens', lutimesat(parent, name, mtime))
}

/** What is set on a directory when all in it is made. */
export interface DirectoryToFinish extends Pick<TarEntry, 'mode' | 'mtime' | 'xattrs'> {
  readonly path: string
}

/** Nothing, if a later entry has replaced the directory. */
export function setDirectoryAttributes(parent: number, name: string, { mode, mtime, xattrs }: DirectoryToFinish): void {
  const stat = lstatat(parent, name)
  if (typeof stat === 'number' || !isDirectory(stat)) return
  if ((stat.mode & 0o7777) !== mode) check('chmod', fchmodat(parent, name, mode))
  const path = xattrPath(parent, name)
  if (xattrs !== undefined) setXattrs(xattrs, (key, value) => lsetxattr(path, key, value))
  check('utimens', lutimesat(parent, name, mtime))
}

const EPERM = 1
const EOPNOTSUPP = 95

function setXattrs(xattrs: ReadonlyMap<string, Buffer>, set: (name: string, value: Buffer) => number): void {
  for (const [name, value] of xattrs) {
    if (!isLayerXattr(name)) continue
    const result = set(name, value)
    // The kernel keeps user.* from what is not a file or a directory, and not every filesystem has ACLs.
    if (result < 0 && result !== -EPERM && result !== -EOPNOTSUPP) throw new SysError(`setxattr ${name}`, -result)
  }
}
