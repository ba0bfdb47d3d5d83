import { constants, readSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import type { TarEntry } from '../lib/tar/entry.ts'
import { formatEntry } from '../lib/tar/format-header.ts'
import { BLOCK_BYTES, padding } from '../lib/tar/header.ts'
import { AT_FDCWD, check, close, displayPath, lstatat, O_PATH, openat } from '../linux/at-calls.ts'
import { describeOpen, findNode, isOfKernel, shown } from './find-node.ts'
import { isDirectory } from './layer-tree.ts'
import { fileKey, walkTree } from './walk-tree.ts'

const READ_BYTES = 256 * 1024
const ZEROS = Buffer.alloc(64 * 1024)

export interface ReadRequest {
  /** In the root; absolute or not. */
  readonly path: string
  /** Follow a symlink at its end. */
  readonly follow: boolean
  /** Leave out the name of the directory itself: what is in it stands at the top, as in `docker export`. */
  readonly bare?: boolean
}

const NEVER = new AbortController().signal

/**
 * What is at a path of a root filesystem, as a tar (pax), piece by piece. Nobody in there is trusted: each node is opened once,
 * without following a symlink, and all that is said of it comes from that descriptor. Only regular files are read, so no FIFO
 * or device can act or wait; one that shrinks meanwhile is filled up with zeros, what it grows is left out, and what
 * vanishes is left out. Filesystems of the kernel (proc, sysfs ...) are not entered. Sockets are left out.
 *
 * @throws {StatusError} `not_found`, `invalid_argument`
 */
export async function* readArchive(root: number, { path, follow, bare = false }: ReadRequest): AsyncGenerator<Buffer> {
  using found = findNode(root, path, follow)
  if (isOfKernel(found.fd)) {
    throw new StatusError(
      'invalid_argument',
      `"${shown(path)}" is no file, but a view of the kernel: it cannot be copied`,
    )
  }
  const names = new Map<string, string>()
  const top = describeOpen(found.fd, found.name)
  if (top === undefined) throw new StatusError('invalid_argument', `"${shown(path)}" is a socket: it cannot be copied`)
  if (!bare) yield* nodeBytes(found.fd, top, names)
  if (top.type === 'directory') {
    const kernels = new Map<number, boolean>()
    for await (const node of walkTree(found.fd, NEVER, (fd, { device }) => !isOnKernel(kernels, device, fd))) {
      const fd = openat(node.parent, node.name, O_PATH | constants.O_NOFOLLOW)
      if (fd < 0) continue
      try {
        const entry = describeOpen(fd, bare ? node.path : `${found.name}/${node.path}`)
        if (entry !== undefined) yield* nodeBytes(fd, entry, names)
      } finally {
        close(fd)
      }
    }
  }
  yield Buffer.alloc(2 * BLOCK_BYTES)
}

function isOnKernel(known: Map<number, boolean>, device: number, fd: number): boolean {
  const answer = known.get(device) ?? isOfKernel(fd)
  known.set(device, answer)
  return answer
}

/** @param names of files that have several, by the first of them that was written */
function* nodeBytes(fd: number, entry: TarEntry, names: Map<string, string>): Generator<Buffer> {
  const stat = lstatat(fd, '')
  if (typeof stat !== 'number' && stat.links > 1 && !isDirectory(stat)) {
    const first = names.get(fileKey(stat))
    if (first !== undefined) {
      yield formatEntry({ ...entry, type: 'link', linkPath: first, size: 0, xattrs: undefined, major: 0, minor: 0 })
      return
    }
    names.set(fileKey(stat), entry.path)
  }
  yield formatEntry(entry)
  if (entry.size > 0) yield* fileBytes(fd, entry)
}

function* fileBytes(fd: number, { path, size }: TarEntry): Generator<Buffer> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY
  const file = check(`open ${displayPath(path)}`, openat(AT_FDCWD, `/proc/self/fd/${fd}`, flags))
  try {
    let left = size
    while (left > 0) {
      const bytes = Buffer.allocUnsafe(Math.min(left, READ_BYTES))
      const count = readSync(file, bytes)
      if (count === 0) break
      left -= count
      yield bytes.subarray(0, count)
    }
    for (left += padding(size); left > 0; left -= Math.min(left, ZEROS.length)) yield ZEROS.subarray(0, left)
  } finally {
    close(file)
  }
}
