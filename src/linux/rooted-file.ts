import { constants, readSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import {
  AT_FDCWD,
  bytePath,
  check,
  close,
  lstatat,
  O_PATH,
  openat,
  openat2,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from './at-calls.ts'

/**
 * Reads a file of a root filesystem that nobody here trusts, as if `root` were `/`: symlinks, absolute ones and `..`
 * too, stay inside. Only a regular file is read, so no FIFO or device can block or act.
 *
 * @returns undefined if there is no such file, or it is not a regular one
 * @throws {StatusError} `resource_exhausted` if it is larger than `maxBytes`
 */
export function readRootedFile(root: string, path: string, maxBytes: number): Buffer | undefined {
  const rootFd = check(`open ${root}`, openat(AT_FDCWD, bytePath(root), O_PATH | constants.O_DIRECTORY))
  try {
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY
    // O_PATH first: opening a device for reading could already act.
    const probe = openat2(rootFd, bytePath(path), O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    if (probe < 0) return undefined
    try {
      const stat = lstatat(probe, '')
      if (typeof stat === 'number' || (stat.mode & constants.S_IFMT) !== constants.S_IFREG) return undefined
      const file = check(`open ${path}`, openat(AT_FDCWD, `/proc/self/fd/${probe}`, flags))
      try {
        return readAtMost(file, path, maxBytes)
      } finally {
        close(file)
      }
    } finally {
      close(probe)
    }
  } finally {
    close(rootFd)
  }
}

function readAtMost(file: number, path: string, maxBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(maxBytes + 1)
  let length = 0
  while (length <= maxBytes) {
    const count = readSync(file, bytes, length, bytes.length - length, null)
    if (count === 0) return Buffer.from(bytes.subarray(0, length))
    length += count
  }
  throw new StatusError('resource_exhausted', `Cannot read ${path} of the image: it is larger than ${maxBytes} bytes`)
}
