import type { Stats } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { StatusError, systemCode } from '../lib/errors.ts'

/** What Kubernetes has a path of the host be; empty: anything. */
export type HostPathType =
  | ''
  | 'DirectoryOrCreate'
  | 'Directory'
  | 'FileOrCreate'
  | 'File'
  | 'Socket'
  | 'CharDevice'
  | 'BlockDevice'

interface Kind {
  readonly is: (stats: Stats) => boolean
  readonly words: string
}

const DIRECTORY: Kind = { is: (stats) => stats.isDirectory(), words: 'a directory' }
const FILE: Kind = { is: (stats) => stats.isFile(), words: 'a file' }
const KINDS: Readonly<Record<Exclude<HostPathType, ''>, Kind>> = {
  DirectoryOrCreate: DIRECTORY,
  Directory: DIRECTORY,
  FileOrCreate: FILE,
  File: FILE,
  Socket: { is: (stats) => stats.isSocket(), words: 'a socket file' },
  CharDevice: { is: (stats) => stats.isCharacterDevice(), words: 'a character device' },
  BlockDevice: { is: (stats) => stats.isBlockDevice(), words: 'a block device' },
}

/**
 * Has a path of the host be there, and be what is wanted. What is made has kubelet's modes; of no type a directory is made,
 * as container runtimes do it. @throws {StatusError} `failed_precondition`, in kubelet's words
 */
export async function ensureHostPath(path: string, type: HostPathType): Promise<void> {
  const found = await statIfThere(path)
  if (found === undefined && type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close()
  else if (found === undefined && (type === '' || type === 'DirectoryOrCreate')) {
    await mkdir(path, { recursive: true, mode: 0o755 })
  }
  if (type === '' || (found === undefined && type.endsWith('OrCreate'))) return
  const { is, words } = KINDS[type]
  if (found !== undefined && is(found)) return
  throw new StatusError('failed_precondition', `hostPath type check failed: ${path} is not ${words}`)
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
