import { constants } from 'node:fs'
import type { TarEntryType } from './entry.ts'

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO } = constants

const TYPES: ReadonlyMap<number, TarEntryType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'character'],
  [S_IFBLK, 'block'],
  [S_IFIFO, 'fifo'],
])

/** By the mode that stat(2) gives; undefined for what no archive can hold: a socket. */
export function entryType(mode: number): TarEntryType | undefined {
  return TYPES.get(mode & S_IFMT)
}
