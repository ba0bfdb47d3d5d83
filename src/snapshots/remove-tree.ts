import { constants, readdirSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import {
  AT_REMOVEDIR,
  close,
  displayPath,
  EEXIST,
  EISDIR,
  ENOENT,
  ENOTEMPTY,
  openat,
  RENAME_NOREPLACE,
  renameat2,
  unlinkat,
} from '../linux/at-calls.ts'
import { SysError } from '../linux/libc.ts'

/**
 * Removes `name` in the open directory, whatever it is; synchronous. Follows no symlink. Directories that are not
 * empty are moved up to the top of the tree first, so that no depth of it can exhaust descriptors, stack or PATH_MAX.
 *
 * @throws {StatusError} `failed_precondition` if a file is immutable (chattr +i) or a mount point
 */
export function removeTree(parent: number, name: string): void {
  if (!isFullDirectory(parent, name)) return
  const top = openDirectory(parent, name)
  try {
    const full: string[] = []
    let moved = 0
    for (const child of list(top)) if (isFullDirectory(top, child)) full.push(child)
    for (let next = full.pop(); next !== undefined; next = full.pop()) {
      const directory = openDirectory(top, next)
      try {
        for (const child of list(directory)) {
          if (!isFullDirectory(directory, child)) continue
          let upName: string
          let result: number
          do {
            upName = `.moved-${moved++}`
            result = renameat2(directory, child, top, upName, RENAME_NOREPLACE)
          } while (result === -EEXIST)
          if (result < 0) throw failure(child, -result)
          full.push(upName)
        }
      } finally {
        close(directory)
      }
      removeEmpty(top, next)
    }
  } finally {
    close(top)
  }
  removeEmpty(parent, name)
}

/** Removes the name unless it is a directory with something in it. */
function isFullDirectory(parent: number, name: string): boolean {
  let result = unlinkat(parent, name, 0)
  if (result === -EISDIR) result = unlinkat(parent, name, AT_REMOVEDIR)
  if (result === -ENOTEMPTY) return true
  if (result < 0 && result !== -ENOENT) throw failure(name, -result)
  return false
}

function removeEmpty(parent: number, name: string): void {
  const result = unlinkat(parent, name, AT_REMOVEDIR)
  if (result < 0 && result !== -ENOENT) throw failure(name, -result)
}

function openDirectory(parent: number, name: string): number {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
  const result = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  if (result < 0) throw failure(name, -result)
  return result
}

function list(directory: number): string[] {
  return readdirSync(`/proc/self/fd/${directory}`, { encoding: 'latin1' })
}

function failure(name: string, errno: number): Error {
  const cause = new SysError(`remove ${displayPath(name)}`, errno)
  const why = { EPERM: 'it is immutable (see chattr)', EBUSY: 'something is mounted on it' }[cause.code]
  if (why === undefined) return cause
  return new StatusError('failed_precondition', `Cannot remove "${displayPath(name)}": ${why}`, { cause })
}
