import { constants, readdirSync } from 'node:fs'
import {
  AT_REMOVEDIR,
  check,
  close,
  displayPath,
  EEXIST,
  lutimesat,
  O_PATH,
  openat,
  RENAME_NOREPLACE,
  renameat2,
  unlinkat,
} from '../linux/at-calls.ts'
import { statOrThrow } from './copy-node.ts'
import { isDirectory } from './layer-tree.ts'
import { isWhiteout, setOpaque } from './overlay-marks.ts'
import { removeTree } from './remove-tree.ts'

/**
 * Moves all that is in one directory of a layer into another, merging directories; what is moved replaces other things
 * of the same name. A whiteout hides the layers below and never what this layer has.
 */
export function moveChildren(from: number, to: number): void {
  const { mtime } = statOrThrow(to, '.')
  for (const name of readdirSync(`/proc/self/fd/${from}`, { encoding: 'latin1' })) {
    const result = renameat2(from, name, to, name, RENAME_NOREPLACE)
    if (result === -EEXIST) merge(from, to, name)
    else check(`rename ${displayPath(name)}`, result)
  }
  check('utimens', lutimesat(to, '.', mtime))
}

function merge(from: number, to: number, name: string): void {
  const moved = statOrThrow(from, name)
  const there = statOrThrow(to, name)
  if (isWhiteout(moved)) {
    if (isDirectory(there)) setOpaque(to, name)
    check('unlink', unlinkat(from, name, 0))
  } else if (isDirectory(moved) && isDirectory(there)) {
    const source = openDirectory(from, name)
    try {
      const target = openDirectory(to, name)
      try {
        moveChildren(source, target)
      } finally {
        close(target)
      }
    } finally {
      close(source)
    }
    check('rmdir', unlinkat(from, name, AT_REMOVEDIR))
  } else {
    if (isDirectory(moved) && isWhiteout(there)) setOpaque(from, name)
    removeTree(to, name)
    check('rename', renameat2(from, name, to, name, RENAME_NOREPLACE))
  }
}

function openDirectory(parent: number, name: string): number {
  const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
  return check(`open ${displayPath(name)}`, openat(parent, name, flags))
}
