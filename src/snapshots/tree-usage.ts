import { constants } from 'node:fs'
import { AT_FDCWD, bytePath, check, close, O_PATH, openat } from '../linux/at-calls.ts'
import { isDirectory } from './layer-tree.ts'
import { fileKey, walkTree } from './walk-tree.ts'

/** Bytes that a tree takes on disk, files with several names once. */
export async function treeUsage(path: string, signal: AbortSignal): Promise<number> {
  const root = check(`open ${path}`, openat(AT_FDCWD, bytePath(path), O_PATH | constants.O_DIRECTORY))
  const counted = new Set<string>()
  let bytes = 0
  try {
    for await (const { stat } of walkTree(root, signal)) {
      if (stat.links > 1 && !isDirectory(stat)) {
        const key = fileKey(stat)
        if (counted.has(key)) continue
        counted.add(key)
      }
      bytes += stat.usedBytes
    }
  } finally {
    close(root)
  }
  return bytes
}
