import { statfs } from 'node:fs/promises'
import { StatusError } from '../lib/errors.ts'
import type { ImagePolicy } from './deps.ts'

/** Bytes that images may still take on the file system of `dir`: what is free, less the reserve. */
export async function freeSpace(dir: string, reserve: ImagePolicy['reserve']): Promise<number> {
  const { bavail, blocks, bsize } = await statfs(dir)
  return Math.max(0, bavail * bsize - Math.min(blocks * bsize * reserve.share, reserve.bytes))
}

/** @throws {StatusError} `resource_exhausted` */
export function assertFits(what: string, wantedBytes: number, freeBytes: number): void {
  if (wantedBytes <= freeBytes) return
  throw new StatusError(
    'resource_exhausted',
    `Not enough disk space for ${what}: it takes ${megabytes(wantedBytes)}, ${megabytes(freeBytes)} are free besides the ` +
      'reserve; remove images that are not needed',
  )
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
