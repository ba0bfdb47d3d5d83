import { errno, libc } from './libc.ts'

/**
 * Extended attributes of open files. Results follow the kernel: negative means -errno. Names are ASCII in practice;
 * values are bytes. For an O_PATH descriptor or a symlink give the `/proc/self/fd` path to the `l` calls.
 */
const native = {
  fsetxattr: libc('int fsetxattr(int, const char*, const void*, size_t, int)'),
  lsetxattr: libc('int lsetxattr(const char*, const char*, const void*, size_t, int)'),
  lgetxattr: libc('int64_t lgetxattr(const char*, const char*, void*, size_t)'),
  llistxattr: libc('int64_t llistxattr(const char*, void*, size_t)'),
  getxattr: libc('int64_t getxattr(const char*, const char*, void*, size_t)'),
  listxattr: libc('int64_t listxattr(const char*, void*, size_t)'),
}

/** The kernel's limit for one value and for a list of names (xattr(7)). */
const MAX_BYTES = 65_536

export function fsetxattr(fd: number, name: string, value: Buffer): number {
  return done(native.fsetxattr(fd, name, value, value.length, 0))
}

/** `path` is a byte string (see at-calls.ts); a symlink at its end is not followed. */
export function lsetxattr(path: string, name: string, value: Buffer): number {
  return done(native.lsetxattr(bytes(path), name, value, value.length, 0))
}

/** The value, or undefined if there is none, or the filesystem has no attributes. */
export function lgetxattr(path: string, name: string): Buffer | undefined {
  return valueFrom(native.lgetxattr, path, name)
}

/** The names; none if the filesystem has no attributes. */
export function llistxattr(path: string): string[] {
  return namesFrom(native.llistxattr, path)
}

/** Of what an O_PATH descriptor stands for, which must be no symlink. */
export function pathXattr(fd: number, name: string): Buffer | undefined {
  return valueFrom(native.getxattr, `/proc/self/fd/${fd}`, name)
}

export function listPathXattrs(fd: number): string[] {
  return namesFrom(native.listxattr, `/proc/self/fd/${fd}`)
}

function valueFrom(call: typeof native.getxattr, path: string, name: string): Buffer | undefined {
  const value = Buffer.allocUnsafe(MAX_BYTES)
  const length = done(Number(call(bytes(path), name, value, value.length)))
  return length < 0 ? undefined : Buffer.from(value.subarray(0, length))
}

function namesFrom(call: typeof native.listxattr, path: string): string[] {
  const names = Buffer.allocUnsafe(MAX_BYTES)
  const length = done(Number(call(bytes(path), names, names.length)))
  return length <= 0 ? [] : names.toString('latin1', 0, length - 1).split('\0')
}

function bytes(path: string): Buffer {
  return Buffer.from(`${path}\0`, 'latin1')
}

function done(result: number): number {
  return result < 0 ? -errno() : result
}
