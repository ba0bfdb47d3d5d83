/**
 * The *at() system calls, for work below a directory's descriptor that no path can lead out of.
 *
 * Results follow the kernel: negative means -errno, so that an expected EEXIST or ENOENT costs no exception;
 * `check` (as in `at.check('mkdir', at.mkdirat(...))`) turns the unexpected into a SysError.
 *
 * File names are bytes. Here they are *byte strings*: one character (0 to 255) a byte, as `latin1` decodes them.
 */
import { constants } from 'node:fs'
import type { FileTime } from '../lib/file-time.ts'
import { errno, libc, SysError } from './libc.ts'

const { O_DIRECTORY, O_NOFOLLOW } = constants
export const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
export const AT_REMOVEDIR = 0x200
const AT_EMPTY_PATH = 0x1000
export const O_PATH = 0o10000000
export const O_CLOEXEC = 0o2000000
/** openat2(2): no symlink at all; no /proc magic link; nothing above the start; absolute paths and `..` stay below it. */
export const RESOLVE_NO_MAGICLINKS = 0x02
const RESOLVE_NO_SYMLINKS = 0x04
export const RESOLVE_BENEATH = 0x08
export const RESOLVE_IN_ROOT = 0x10
export const RENAME_NOREPLACE = 1

export const ENOENT = 2
const EAGAIN = 11
export const EEXIST = 17
export const ENOTDIR = 20
export const EISDIR = 21
export const ENOTEMPTY = 39

const native = {
  openat: libc('int openat(int, const char*, int, unsigned int)'),
  openat2: libc('long syscall(long, long, const char*, const void*, size_t)'),
  mkdirat: libc('int mkdirat(int, const char*, unsigned int)'),
  mknodat: libc('int mknodat(int, const char*, unsigned int, uint64_t)'),
  symlinkat: libc('int symlinkat(const char*, int, const char*)'),
  linkat: libc('int linkat(int, const char*, int, const char*, int)'),
  unlinkat: libc('int unlinkat(int, const char*, int)'),
  renameat2: libc('int renameat2(int, const char*, int, const char*, unsigned int)'),
  readlinkat: libc('int64_t readlinkat(int, const char*, void*, size_t)'),
  fchownat: libc('int fchownat(int, const char*, unsigned int, unsigned int, int)'),
  fchown: libc('int fchown(int, unsigned int, unsigned int)'),
  fchmodat: libc('int fchmodat(int, const char*, unsigned int, int)'),
  fchmod: libc('int fchmod(int, unsigned int)'),
  utimensat: libc('int utimensat(int, const char*, const void*, int)'),
  futimens: libc('int futimens(int, const void*)'),
  ftruncate: libc('int ftruncate(int, int64_t)'),
  statx: libc('int statx(int, const char*, int, unsigned int, void*)'),
  close: libc('int close(int)'),
  umask: libc('unsigned int umask(unsigned int)'),
  chdir: libc('int chdir(const char*)'),
  unshare: libc('int unshare(int)'),
}

/** @throws {SysError} if `result` is a negative errno */
export function check(operation: string, result: number): number {
  if (result < 0) throw new SysError(operation, -result)
  return result
}

/** A path as it can be shown to people. */
export function displayPath(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8')
}

/** A path of node's (UTF-16) as a byte string. */
export function bytePath(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1')
}

export function openat(dir: number, path: string, flags: number, mode = 0): number {
  return done(native.openat(dir, cString(path), flags | O_CLOEXEC, mode))
}

const how = new Uint32Array(6)
const SYS_OPENAT2 = 437

/** While anybody on the host renames or mounts, the kernel may be unable to tell where `..` leads (openat2(2), EAGAIN). */
const TRIES = 1000

/** openat2(2) for something that exists. */
export function openat2(dir: number, path: string, flags: number, resolve: number): number {
  how[0] = flags | O_CLOEXEC
  how[4] = resolve
  for (let tries = 1; ; tries++) {
    const result = done(Number(native.openat2(SYS_OPENAT2, dir, cString(path), how, 24)))
    if (result !== -EAGAIN || tries === TRIES) return result
  }
}

/** O_PATH on a directory, symlinks resolved as if `root` were `/`. */
export function openDirectoryInRoot(root: number, path: string): number {
  return openat2(root, path === '' ? '.' : path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
}

/** O_PATH on a directory; ELOOP if any symlink is on the way. */
export function openDirectoryNoSymlinks(root: number, path: string): number {
  return openat2(
    root,
    path === '' ? '.' : path,
    O_PATH | O_DIRECTORY | O_NOFOLLOW,
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
  )
}

export function mkdirat(dir: number, path: string, mode: number): number {
  return done(native.mkdirat(dir, cString(path), mode))
}

/** `mode` with the file type. */
export function mknodat(dir: number, path: string, mode: number, device: number): number {
  return done(native.mknodat(dir, cString(path), mode, device))
}

export function symlinkat(target: string, dir: number, path: string): number {
  return done(native.symlinkat(cString(target), dir, cString(path)))
}

/** Links what `fromPath` names itself, be it a symlink. */
export function linkat(fromDir: number, fromPath: string, dir: number, path: string): number {
  return done(native.linkat(fromDir, cString(fromPath), dir, cString(path), 0))
}

export function unlinkat(dir: number, path: string, flags: number): number {
  return done(native.unlinkat(dir, cString(path), flags))
}

export function renameat2(fromDir: number, fromPath: string, dir: number, path: string, flags: number): number {
  return done(native.renameat2(fromDir, cString(fromPath), dir, cString(path), flags))
}

const linkTarget = Buffer.alloc(4096)

/** The target, or the negative errno. */
export function readlinkat(dir: number, path: string): string | number {
  const length = done(Number(native.readlinkat(dir, cString(path), linkTarget, linkTarget.length)))
  return length < 0 ? length : linkTarget.toString('latin1', 0, length)
}

export function lchownat(dir: number, path: string, uid: number, gid: number): number {
  return done(native.fchownat(dir, cString(path), uid, gid, AT_SYMLINK_NOFOLLOW))
}

export function fchown(fd: number, uid: number, gid: number): number {
  return done(native.fchown(fd, uid, gid))
}

/** Never follows a symlink, also if somebody puts one there meanwhile: one itself has no mode to be changed. */
export function fchmodat(dir: number, path: string, mode: number): number {
  const fd = openat(dir, path, O_PATH | O_NOFOLLOW)
  if (fd < 0) return fd
  const result = done(native.fchmodat(AT_FDCWD, `/proc/self/fd/${fd}`, mode, 0))
  native.close(fd)
  return result
}

export function fchmod(fd: number, mode: number): number {
  return done(native.fchmod(fd, mode))
}

const times = new Int32Array(8)
const TWO_TO_32 = 0x1_0000_0000

function timespecs({ seconds, nanoseconds }: FileTime): Int32Array {
  times[0] = times[4] = seconds | 0
  times[1] = times[5] = Math.floor(seconds / TWO_TO_32)
  times[2] = times[6] = nanoseconds
  // `| 0` of a number beyond 2^53 is 0; such a time is beyond every filesystem, and the kernel clamps it.
  return times
}

/** Sets atime and mtime, of a symlink itself. */
export function lutimesat(dir: number, path: string, time: FileTime): number {
  return done(native.utimensat(dir, cString(path), timespecs(time), AT_SYMLINK_NOFOLLOW))
}

export function futimens(fd: number, time: FileTime): number {
  return done(native.futimens(fd, timespecs(time)))
}

export function ftruncate(fd: number, size: number): number {
  return done(native.ftruncate(fd, size))
}

export interface FileStat {
  /** With the file type. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly links: number
  /** With the device that it is on: the same for all names of one file. */
  readonly inode: bigint
  readonly device: number
  /** What it takes on disk, in units of 512 bytes. */
  readonly blocks: number
  readonly mtime: FileTime
  /** Of a device node. */
  readonly major: number
  readonly minor: number
}

const STATX_BASIC_STATS = 0x7ff
const statBuffer = Buffer.alloc(256)

/** Of a symlink itself; of `dir` for an empty path. The stat, or the negative errno. */
export function lstatat(dir: number, path: string): FileStat | number {
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH
  const result = done(native.statx(dir, cString(path), flags, STATX_BASIC_STATS, statBuffer))
  if (result < 0) return result
  // struct statx (statx(2)): the same on every architecture.
  return {
    links: statBuffer.readUInt32LE(16),
    inode: statBuffer.readBigUInt64LE(32),
    device: makeDevice(statBuffer.readUInt32LE(136), statBuffer.readUInt32LE(140)),
    blocks: statBuffer.readUInt32LE(48) + statBuffer.readUInt32LE(52) * TWO_TO_32,
    uid: statBuffer.readUInt32LE(20),
    gid: statBuffer.readUInt32LE(24),
    mode: statBuffer.readUInt16LE(28),
    size: statBuffer.readUInt32LE(40) + statBuffer.readUInt32LE(44) * TWO_TO_32,
    mtime: {
      seconds: statBuffer.readUInt32LE(112) + statBuffer.readInt32LE(116) * TWO_TO_32,
      nanoseconds: statBuffer.readUInt32LE(120),
    },
    major: statBuffer.readUInt32LE(128),
    minor: statBuffer.readUInt32LE(132),
  }
}

export function close(fd: number): void {
  native.close(fd)
}

/** dev_t of Linux: 12 bits of major, 20 of minor. */
export function makeDevice(major: number, minor: number): number {
  return (((minor & 0xfff00) << 12) | ((major & 0xfff) << 8) | (minor & 0xff)) >>> 0
}

const CLONE_FS = 0x200

/**
 * Gives this thread (a Worker's) a working directory and umask of its own, then sets them: short relative paths
 * and exact modes without a chmod, unseen by the other threads.
 */
export function leaveSharedWorkingDirectory(directory: string): void {
  check('unshare(CLONE_FS)', done(native.unshare(CLONE_FS)))
  check(`chdir ${directory}`, done(native.chdir(directory)))
  native.umask(0)
}

function done(result: number): number {
  return result < 0 ? -errno() : result
}

const ASCII = /^[\x00-\x7f]*$/

/** koffi passes strings as UTF-8, which is right for ASCII; other bytes go in a buffer. */
function cString(path: string): string | Buffer {
  return ASCII.test(path) ? path : Buffer.from(`${path}\0`, 'latin1')
}
