import { constants, readdirSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { FileTime } from '../lib/file-time.ts'
import {
  AT_FDCWD,
  bytePath,
  check,
  close,
  displayPath,
  EEXIST,
  ENOENT,
  lchownat,
  linkat,
  mkdirat,
  O_PATH,
  openat,
  openDirectoryInRoot,
  openDirectoryNoSymlinks,
  RENAME_NOREPLACE,
  renameat2,
} from '../linux/at-calls.ts'
import { syncfsNow } from '../linux/sync.ts'
import { copyNode, readXattrs, statOrThrow } from './copy-node.ts'
import { setDirectoryAttributes } from './entry-attributes.ts'
import { layerError } from './layer-error.ts'
import { isDirectory } from './layer-tree.ts'
import { MergedView } from './merged-view.ts'
import { removeTree } from './remove-tree.ts'
import { splitPath } from './resolve-path.ts'
import { fileKey, walkTree } from './walk-tree.ts'

/** In a volume's directory: what containers see. */
export const VOLUME_DATA = '_data'
/** A copy that is being made; one that is whole and on disk, on its way into the data. */
const PART = '_seed.part'
const WHOLE = '_seed'

export interface SeedInput {
  /** Of the volume; absolute. Holds `_data`. */
  readonly directory: string
  /** Of the root filesystem to copy from: names below the layers' directory, top first. At least one. */
  readonly layers: readonly string[]
  /** In that root filesystem, absolute. */
  readonly path: string
  /** What the copy may take. */
  readonly maxBytes: number
}

/**
 * Fills an empty volume with what an image has at a path, as a whole or not at all: the copy is made beside the data, synced,
 * renamed to say that it is whole, and only then moved into the data, name by name. What somebody has put there meanwhile
 * stays. Nothing if the image has no directory at that path, which is resolved within the image.
 *
 * @throws {StatusError} `resource_exhausted`, `cancelled`
 */
export async function seedVolume({ directory, layers, path, maxBytes }: SeedInput, signal: AbortSignal): Promise<void> {
  const volume = openDirectory(AT_FDCWD, bytePath(directory))
  try {
    settle(volume)
    if (list(volume, VOLUME_DATA).length > 0) return
    using view = new MergedView(layers)
    const source = openDirectoryInRoot(view.root, bytePath(path))
    if (source < 0) return
    try {
      await copyTree(source, volume, maxBytes, signal)
    } finally {
      close(source)
    }
    failpoint('seed.sync')
    sync(volume)
    failpoint('seed.rename')
    check('rename', renameat2(volume, PART, volume, WHOLE, RENAME_NOREPLACE))
    settle(volume)
  } catch (error) {
    removeTree(volume, PART)
    throw layerError(`Cannot fill the volume in ${directory} with what the image has at ${path}`, error)
  } finally {
    close(volume)
  }
}

/** Brings a volume to rest whose seeding was cut off: a whole copy is moved in, a part of one is removed. */
export function settleVolume(directory: string): void {
  const volume = openDirectory(AT_FDCWD, bytePath(directory))
  try {
    settle(volume)
  } finally {
    close(volume)
  }
}

function settle(volume: number): void {
  removeTree(volume, PART)
  const whole = openat(volume, WHOLE, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  if (whole === -ENOENT) return
  failpoint('seed.move')
  const data = openDirectory(volume, VOLUME_DATA)
  const { mtime } = statOrThrow(whole, '.')
  try {
    for (const name of list(volume, WHOLE)) {
      const result = renameat2(whole, name, data, name, RENAME_NOREPLACE)
      if (result !== -EEXIST) check(`rename ${displayPath(name)}`, result)
    }
    failpoint('seed.attributes')
    copyDirectoryAttributes(whole, data, mtime)
  } finally {
    close(data)
    close(whole)
  }
  failpoint('seed.done')
  removeTree(volume, WHOLE)
}

async function copyTree(source: number, volume: number, maxBytes: number, signal: AbortSignal): Promise<void> {
  let left = maxBytes
  const charge = (bytes: number) => {
    left -= bytes
    if (left < 0) throw new StatusError('resource_exhausted', 'no space left on the disk')
  }
  failpoint('seed.copy')
  check(`mkdir ${PART}`, mkdirat(volume, PART, 0o755))
  const target = openDirectory(volume, PART)
  try {
    const directories: string[] = ['']
    const links = new Map<string, string>()
    for await (const { path, name, parent, stat } of walkTree(source, signal)) {
      if ((stat.mode & constants.S_IFMT) === constants.S_IFSOCK) continue
      const { directory } = splitPath(path)
      const to = check(`open ${displayPath(directory)}`, openDirectoryNoSymlinks(target, directory))
      try {
        const known = stat.links > 1 ? links.get(fileKey(stat)) : undefined
        if (isDirectory(stat)) {
          check(`mkdir ${displayPath(name)}`, mkdirat(to, name, 0o700))
          directories.push(path)
        } else if (known !== undefined) check(`link ${displayPath(name)}`, linkat(target, known, to, name))
        else {
          copyNode(parent, to, name, charge)
          if (stat.links > 1) links.set(fileKey(stat), path)
        }
      } finally {
        close(to)
      }
    }
    // Last, so that neither a mode nor an ACL acts on what is made below, and times stay.
    for (const path of directories.reverse()) copyAttributesAt(source, target, path)
  } finally {
    close(target)
  }
}

function copyAttributesAt(source: number, target: number, path: string): void {
  const from = check(`open ${displayPath(path)}`, openDirectoryNoSymlinks(source, path))
  try {
    const to = check(`open ${displayPath(path)}`, openDirectoryNoSymlinks(target, path))
    try {
      copyDirectoryAttributes(from, to)
    } finally {
      close(to)
    }
  } finally {
    close(from)
  }
}

function copyDirectoryAttributes(from: number, to: number, time?: FileTime): void {
  const { uid, gid, mode, mtime } = statOrThrow(from, '.')
  check('chown', lchownat(to, '.', uid, gid))
  setDirectoryAttributes(to, '.', { path: '', mode: mode & 0o7777, mtime: time ?? mtime, xattrs: readXattrs(from, '') })
}

function sync(volume: number): void {
  const readable = check('open', openat(volume, '.', constants.O_RDONLY | constants.O_DIRECTORY))
  try {
    syncfsNow(readable)
  } finally {
    close(readable)
  }
}

function list(volume: number, name: string): string[] {
  return readdirSync(`/proc/self/fd/${volume}/${name}`, { encoding: 'latin1' })
}

function openDirectory(parent: number, path: string): number {
  const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
  return check(`open ${displayPath(path)}`, openat(parent, path, flags))
}
