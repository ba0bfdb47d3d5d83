import { constants, readdirSync } from 'node:fs'
import { setImmediate as otherWork } from 'node:timers/promises'
import { close, lstatat, openat, openDirectoryNoSymlinks } from '../linux/at-calls.ts'

const BLOCK_BYTES = 512
/** Directories between two looks at the signal. */
const LOOK_EVERY = 256

/**
 * What lies in the directory takes on disk; hard links count once, the directory itself not. Follows no symlink, and
 * leaves out what goes away meanwhile and what lies deeper than a path can name. 0 if there is no such directory.
 */
export async function measureTree(parent: number, name: string, signal: AbortSignal): Promise<number> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
  const top = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  if (top < 0) return 0
  try {
    const linked = new Set<bigint>()
    const pending = ['']
    let bytes = 0
    for (let seen = 1; pending.length > 0; seen++) {
      if (seen % LOOK_EVERY === 0) await otherWork()
      signal.throwIfAborted()
      const path = pending.pop()!
      const directory = openDirectoryNoSymlinks(top, path)
      if (directory < 0) continue
      try {
        for (const child of list(directory)) {
          const found = lstatat(directory, child)
          if (typeof found === 'number') continue
          if ((found.mode & constants.S_IFMT) === constants.S_IFDIR)
            pending.push(path === '' ? child : `${path}/${child}`)
          else if (found.links > 1 && linked.size === linked.add(found.inode).size) continue
          bytes += found.blocks * BLOCK_BYTES
        }
      } finally {
        close(directory)
      }
    }
    return bytes
  } finally {
    close(top)
  }
}

function list(directory: number): string[] {
  try {
    return readdirSync(`/proc/self/fd/${directory}`, { encoding: 'latin1' })
  } catch {
    return []
  }
}
