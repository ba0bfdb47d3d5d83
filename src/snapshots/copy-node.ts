import { constants, readSync, writeSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import type { TarEntry } from '../lib/tar/entry.ts'
import { entryType } from '../lib/tar/entry-type.ts'
import { check, close, displayPath, type FileStat, lstatat, openat, readlinkat } from '../linux/at-calls.ts'
import { SysError } from '../linux/libc.ts'
import { lgetxattr, llistxattr } from '../linux/xattr.ts'
import { makeSpecial, setFileAttributes, setSpecialAttributes } from './entry-attributes.ts'
import { isLayerXattr, xattrPath } from './overlay-marks.ts'

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants

/**
 * Copies anything but a directory from one open directory to another, under the same name, with all that an archive would
 * say of it.
 *
 * @param charge is told the bytes before they are written, and may throw
 */
export function copyNode(from: number, to: number, name: string, charge: (bytes: number) => void): void {
  const entry = describeNode(from, name)
  charge(entry.size)
  if (entry.type !== 'file') {
    check(`create ${displayPath(name)}`, makeSpecial(to, name, entry))
    setSpecialAttributes(to, name, entry)
    return
  }
  const source = check(`open ${displayPath(name)}`, openat(from, name, O_RDONLY | O_NOFOLLOW))
  try {
    const copy = check('create', openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, entry.mode & 0o777))
    try {
      copyBytes(source, copy)
      setFileAttributes(copy, entry)
    } finally {
      close(copy)
    }
  } finally {
    close(source)
  }
}

/** The node as an archive would have it. */
function describeNode(directory: number, name: string): TarEntry {
  const stat = statOrThrow(directory, name)
  const type = entryType(stat.mode)
  if (type === undefined || type === 'directory')
    throw new StatusError('invalid_argument', `"${displayPath(name)}" cannot be linked to`)
  const target = type === 'symlink' ? readlinkat(directory, name) : ''
  if (typeof target === 'number') throw new SysError(`readlink ${displayPath(name)}`, -target)
  return {
    path: name,
    type,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    mtime: stat.mtime,
    size: type === 'file' ? stat.size : 0,
    linkPath: target,
    major: stat.major,
    minor: stat.minor,
    xattrs: readXattrs(directory, name),
  }
}

export function readXattrs(directory: number, name: string): Map<string, Buffer> {
  const path = xattrPath(directory, name)
  const xattrs = new Map<string, Buffer>()
  for (const key of llistxattr(path)) {
    const value = isLayerXattr(key) ? lgetxattr(path, key) : undefined
    if (value !== undefined) xattrs.set(key, value)
  }
  return xattrs
}

export function statOrThrow(directory: number, name: string): FileStat {
  const stat = lstatat(directory, name)
  if (typeof stat === 'number') throw new SysError(`stat ${displayPath(name)}`, -stat)
  return stat
}

function copyBytes(source: number, target: number): void {
  const buffer = Buffer.allocUnsafe(1 << 20)
  for (;;) {
    const length = readSync(source, buffer)
    if (length === 0) return
    for (let written = 0; written < length; ) written += writeSync(target, buffer, written, length - written)
  }
}
