import { constants, statfsSync } from 'node:fs'
import { posix } from 'node:path'
import { StatusError } from '../lib/errors.ts'
import type { TarEntry } from '../lib/tar/entry.ts'
import { entryType } from '../lib/tar/entry-type.ts'
import {
  bytePath,
  close,
  displayPath,
  ENOENT,
  ENOTDIR,
  lstatat,
  O_PATH,
  openat,
  openat2,
  openDirectoryInRoot,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  readlinkat,
} from '../linux/at-calls.ts'
import { SysError } from '../linux/libc.ts'
import { listPathXattrs, pathXattr } from '../linux/xattr.ts'
import { statOrThrow } from './copy-node.ts'
import { isDirectory, LayerTree } from './layer-tree.ts'
import { isLayerXattr } from './overlay-marks.ts'

const { S_IFMT, S_IFLNK, O_DIRECTORY, O_NOFOLLOW } = constants

/** What a path names in a root filesystem; disposing closes it. */
export interface FoundNode extends Disposable {
  /** O_PATH; of a symlink that was not to be followed, the symlink. */
  readonly fd: number
  /** The last name of the path, as a byte string: `.` for a path that ends in one, and for the root. */
  readonly name: string
}

/**
 * Finds what is at a path that a user has given, absolute or not, as if `root` were `/`: no symlink and no `..` leads out,
 * whatever the processes in there change meanwhile, because the kernel resolves it within that descriptor. As in docker, a
 * path that ends in `/` or `/.` must be a directory, and only such a path follows a symlink at its end, unless `follow`.
 *
 * @throws {StatusError} `not_found`, `invalid_argument`
 */
export function findNode(root: number, path: string, follow: boolean): FoundNode {
  const clean = cleanArchivePath(path)
  const mustBeDirectory = path.endsWith('/') || path.endsWith('/.') || path === '.'
  const name = clean === '/' || path.endsWith('/.') || path === '.' ? '.' : posix.basename(clean)
  const fd = openNode(root, clean, follow || mustBeDirectory)
  if (fd === -ENOENT || fd === -ENOTDIR)
    throw new StatusError('not_found', `No such file or directory in the container: "${shown(path)}"`)
  if (fd < 0) throw new StatusError('invalid_argument', `Cannot use "${shown(path)}"`, { cause: openFault(path, fd) })
  if (mustBeDirectory && !isDirectory(statOrThrow(fd, ''))) {
    close(fd)
    throw new StatusError('invalid_argument', `"${shown(path)}" is not a directory`)
  }
  return { fd, name, [Symbol.dispose]: () => close(fd) }
}

/** As a byte string, absolute and without `.`, `..` and a slash at its end. */
export function cleanArchivePath(path: string): string {
  const clean = posix.resolve('/', posix.normalize(`/${bytePath(path)}`))
  return clean
}

function openNode(root: number, clean: string, follow: boolean): number {
  if (follow || clean === '/') return openat2(root, clean, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
  const parent = openDirectoryInRoot(root, posix.dirname(clean))
  if (parent < 0) return parent
  try {
    return openat(parent, posix.basename(clean), O_PATH | O_NOFOLLOW)
  } finally {
    close(parent)
  }
}

/** What is told of a path before it is copied. */
export interface PathStat {
  readonly name: string
  readonly sizeBytes: number
  /** With the file type, as stat(2) has it. */
  readonly mode: number
  readonly mtimeMs: number
  /** Of a symlink: where it leads, as an absolute path of the container; else empty. */
  readonly linkTarget: string
}

/** @throws {StatusError} `not_found`, `invalid_argument` */
export function statPath(root: number, path: string, follow: boolean): PathStat {
  using found = findNode(root, path, follow)
  const { mode, size, mtime } = statOrThrow(found.fd, '')
  return {
    name: displayPath(found.name),
    sizeBytes: size,
    mode,
    mtimeMs: mtime.seconds * 1000 + Math.floor(mtime.nanoseconds / 1e6),
    linkTarget: (mode & S_IFMT) === S_IFLNK ? displayPath(linkTarget(root, path, found.fd)) : '',
  }
}

function linkTarget(root: number, path: string, symlink: number): string {
  const target = readlinkat(symlink, '')
  if (typeof target === 'number') throw openFault(path, target)
  const own = openat(root, '.', O_PATH | O_DIRECTORY)
  using tree = new LayerTree(own, () => {})
  return posix.resolve('/', tree.realPath(posix.dirname(cleanArchivePath(path))), target)
}

/** An open node as an archive would have it; undefined for what no archive can hold: a socket. */
export function describeOpen(fd: number, path: string): TarEntry | undefined {
  const stat = lstatat(fd, '')
  const type = typeof stat === 'number' ? undefined : entryType(stat.mode)
  if (typeof stat === 'number' || type === undefined) return undefined
  const target = type === 'symlink' ? readlinkat(fd, '') : ''
  const isDevice = type === 'character' || type === 'block'
  return {
    path,
    type,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    mtime: stat.mtime,
    size: type === 'file' ? stat.size : 0,
    linkPath: typeof target === 'number' ? '' : target,
    major: isDevice ? stat.major : 0,
    minor: isDevice ? stat.minor : 0,
    xattrs: type === 'symlink' ? undefined : readOpenXattrs(fd),
  }
}

function readOpenXattrs(fd: number): ReadonlyMap<string, Buffer> | undefined {
  const xattrs = new Map<string, Buffer>()
  for (const key of listPathXattrs(fd)) {
    const value = isLayerXattr(key) ? pathXattr(fd, key) : undefined
    if (value !== undefined) xattrs.set(key, value)
  }
  return xattrs.size === 0 ? undefined : xattrs
}

/** statfs(2): proc, sysfs, cgroup (two), devpts, mqueue, debugfs, tracefs, securityfs, bpf. */
const KERNEL_FILESYSTEMS = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x19800202, 0x64626720, 0x74726163, 0x73636673, 0xcafe4a11,
])

/** Whether it lies on a filesystem that is a view of the kernel: nothing in it is a file to be copied, and some would wait. */
export function isOfKernel(fd: number): boolean {
  return KERNEL_FILESYSTEMS.has(statfsSync(`/proc/self/fd/${fd}`).type)
}

function openFault(path: string, result: number): SysError {
  return new SysError(`open ${shown(path)}`, -result)
}

export function shown(path: string): string {
  return path.slice(0, 300)
}
