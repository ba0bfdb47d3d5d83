import { constants, lstatSync, mkdirSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { StatusError, systemCode } from '../lib/errors.ts'
import {
  AT_FDCWD,
  bytePath,
  check,
  close,
  EEXIST,
  ENOENT,
  fchmod,
  mkdirat,
  O_PATH,
  openat,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
} from '../linux/at-calls.ts'
import { SysError } from '../linux/libc.ts'
import { MS_BIND, MS_SLAVE, mount, readMountinfo, unmount } from '../linux/mount.ts'
import { statOrThrow } from './copy-node.ts'
import { isDirectory } from './layer-tree.ts'

const { O_DIRECTORY, O_NOFOLLOW } = constants

export interface MemoryOptions {
  /** Of its root directory. */
  readonly mode: number
  readonly gid?: number
  /** Absent: half of the host's memory, the kernel's own default. */
  readonly sizeBytes?: number
}

export interface BindInput {
  /** Absolute; a directory, or a symlink to one. */
  readonly volume: string
  /** Relative to it. */
  readonly path: string
  /** Absolute, in a directory that nobody else can write to. */
  readonly target: string
}

/** Mounts a file system in memory on a directory, unless one is there: that one may hold data. */
export function mountMemory(target: string, { mode, gid, sizeBytes }: MemoryOptions): void {
  if (statSync(target).dev !== statSync(dirname(target)).dev) return
  const options = [
    `mode=${mode.toString(8)}`,
    ...(gid === undefined ? [] : [`gid=${gid}`]),
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
  ]
  try {
    mount('tmpfs', target, 'tmpfs', 0, [...options, 'noswap'].join(','))
  } catch (error) {
    // Before Linux 6.4 none could be kept from being swapped.
    if (systemCode(error) !== 'EINVAL') throw error
    mount('tmpfs', target, 'tmpfs', 0, options.join(','))
  }
}

/**
 * Mounts what a volume has at a path, a directory or a file, on `target`, in place of what is mounted there. What is not
 * there is made, as directories of the volume's own mode.
 *
 * Processes with the volume may change it meanwhile as they like: the kernel resolves the path beneath the volume's
 * descriptor, and what is mounted is what that gave, not what is at the path by then. What they move afterwards stays
 * mounted, and is still theirs.
 *
 * The mount is a slave: unmounting it undoes no mount below what it shows.
 *
 * @throws {StatusError} `failed_precondition` if the path leads out of the volume, or to nothing that can be mounted
 */
export function bindWithin({ volume, path, target }: BindInput): void {
  const root = check(`open ${volume}`, openat(AT_FDCWD, bytePath(volume), O_PATH | O_DIRECTORY))
  try {
    const source = openOrMake(root, path)
    try {
      makeTarget(target, isDirectory(statOrThrow(source, '')))
      mount(`/proc/self/fd/${source}`, target, null, MS_BIND, null)
      mount('none', target, null, MS_SLAVE, null)
    } finally {
      close(source)
    }
  } finally {
    close(root)
  }
}

/** What is mounted below directories, or on them; innermost first. */
export function mountsBelow(...directories: readonly string[]): string[] {
  return readMountinfo()
    .split('\n')
    .map((line) => decode(line.split(' ')[4] ?? ''))
    .filter((path) => directories.some((directory) => `${path}/`.startsWith(`${directory}/`)))
    .toSorted((a, b) => b.length - a.length)
}

/** An O_PATH descriptor. */
function openOrMake(root: number, path: string): number {
  const found = open(root, path)
  if (found >= 0) return found
  if (found !== -ENOENT) throw cannot(path, found)
  const { mode } = statOrThrow(root, '')
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  for (let depth = 1; depth <= names.length; depth++) {
    const directory = names.slice(0, depth).join('/')
    const there = open(root, directory)
    if (there >= 0) close(there)
    else if (there !== -ENOENT) throw cannot(path, there)
    else makeDirectory(root, { parent: names.slice(0, depth - 1).join('/'), name: names[depth - 1]!, mode }, path)
  }
  const made = open(root, path)
  if (made < 0) throw cannot(path, made)
  return made
}

function makeDirectory(root: number, at: { parent: string; name: string; mode: number }, path: string): void {
  const parent = open(root, at.parent === '' ? '.' : at.parent)
  if (parent < 0) throw cannot(path, parent)
  try {
    const name = bytePath(at.name)
    const result = mkdirat(parent, name, 0o700)
    // Somebody was faster; a symlink that leads nowhere shows when the whole is opened.
    if (result === -EEXIST) return
    if (result < 0) throw cannot(path, result)
    // Its mode is set by descriptor, and of a directory only: the name may be something else by now.
    const made = openat(parent, name, constants.O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    if (made < 0) throw cannot(path, made)
    try {
      check(`chmod ${path}`, fchmod(made, at.mode & 0o7777))
    } finally {
      close(made)
    }
  } finally {
    close(parent)
  }
}

function open(root: number, path: string): number {
  return openat2(root, bytePath(path), O_PATH, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
}

/** An empty one, with nothing mounted on it. */
function makeTarget(target: string, asDirectory: boolean): void {
  while (unmount(target));
  const old = lstatSync(target, { throwIfNoEntry: false })
  if (old?.isDirectory()) rmdirSync(target)
  else if (old !== undefined) unlinkSync(target)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  if (asDirectory) mkdirSync(target, { mode: 0o700 })
  else writeFileSync(target, '', { mode: 0o600 })
}

function cannot(path: string, result: number): StatusError {
  const cause = new SysError(`open ${path}`, -result)
  const why = {
    EXDEV: 'a symbolic link in it leads out of the volume',
    ELOOP: 'its symbolic links loop',
    ENOENT: 'a symbolic link in it leads nowhere',
    ENOTDIR: 'it leads through something that is not a directory',
    EROFS: 'it is not there, and the volume is read-only',
  }[cause.code]
  return new StatusError(
    'failed_precondition',
    `Cannot mount "${path.slice(0, 200)}" of the volume: ${why ?? cause.message}`,
    { cause },
  )
}

/** Of a path in mountinfo: octal for space, tab, newline and backslash (proc(5)). */
function decode(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
}
