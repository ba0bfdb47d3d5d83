import { readdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { StatusError } from '../lib/errors.ts'
import { close, type FileStat, lstatat, openDirectoryNoSymlinks } from '../linux/at-calls.ts'
import { isDirectory, joinPath } from './layer-tree.ts'

/** Nodes between two looks at whether it is still wanted. */
const NODES_PER_TURN = 1024

/** A node below a root: its directory is open while it is looked at. */
export interface TreeNode {
  /** Relative to the root, a byte string; the root's own is not among them. */
  readonly path: string
  readonly name: string
  /** O_PATH. */
  readonly parent: number
  readonly stat: FileStat
}

/**
 * What lies below an open directory, every directory before what is in it, in constant descriptors. Symlinks are not
 * followed; what vanishes or becomes something else meanwhile is left out, and so is what a path cannot name (4095 bytes).
 *
 * @param mayEnter is asked about each directory when it is open
 * @throws {StatusError} `cancelled`
 */
export async function* walkTree(
  root: number,
  signal: AbortSignal,
  mayEnter: (directory: number, stat: FileStat) => boolean = () => true,
): AsyncGenerator<TreeNode> {
  const directories = ['']
  let nodes = 0
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const parent = openDirectoryNoSymlinks(root, directory)
    if (parent < 0) continue
    try {
      const own = lstatat(parent, '')
      if (typeof own === 'number' || !mayEnter(parent, own)) continue
      for (const name of listDirectory(parent)) {
        if (++nodes % NODES_PER_TURN === 0) await turn()
        if (signal.aborted) throw new StatusError('cancelled', 'The call was cancelled')
        const stat = lstatat(parent, name)
        if (typeof stat === 'number') continue
        const path = joinPath(directory, name)
        yield { path, name, parent, stat }
        if (isDirectory(stat)) directories.push(path)
      }
    } finally {
      close(parent)
    }
  }
}

/** Names, as byte strings; none if it is gone or closed to us. */
function listDirectory(directory: number): string[] {
  try {
    return readdirSync(`/proc/self/fd/${directory}`, { encoding: 'latin1' })
  } catch {
    return []
  }
}

/** The same for every name of one file. */
export function fileKey({ device, inode }: FileStat): string {
  return `${device}:${inode}`
}
