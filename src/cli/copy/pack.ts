import { promises as files } from 'node:fs'
import { join } from 'node:path'
import type { TarEntry, TarEntryType } from '../../lib/tar/entry.ts'
import { entryType } from '../../lib/tar/entry-type.ts'
import { formatEntry } from '../../lib/tar/format-header.ts'
import { BLOCK_BYTES, padding } from '../../lib/tar/header.ts'
import { CliError } from '../errors.ts'

const CHUNK_BYTES = 256 * 1024

export interface PackOptions {
  /** What the archive begins with: the name of the file or directory, or `.`. */
  readonly name: string
  /** Follow a symlink at the path's end. */
  readonly follow: boolean
  /** Keep owners; else all is root's. */
  readonly keepOwner: boolean
}

/** A file or directory of this host as a tar. Sockets are left out; what changes size meanwhile fails it. */
export async function* pack(path: string, { name, follow, keepOwner }: PackOptions): AsyncGenerator<Buffer> {
  const links = new Map<string, string>()
  const todo = [{ path, name }]
  for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
    const followed = follow && one.path === path
    const found = followed ? await files.stat(path, { bigint: true }) : await files.lstat(one.path, { bigint: true })
    const type = entryType(Number(found.mode))
    if (type === undefined) continue
    const key = `${found.dev}:${found.ino}`
    const first = found.nlink > 1n && type !== 'directory' ? links.get(key) : undefined
    if (found.nlink > 1n && first === undefined) links.set(key, one.name)
    const entry: TarEntry = {
      path: bytes(one.name),
      type: first === undefined ? type : 'link',
      mode: Number(found.mode) & 0o7777,
      uid: keepOwner ? Number(found.uid) : 0,
      gid: keepOwner ? Number(found.gid) : 0,
      mtime: {
        seconds: Number(found.mtimeNs / 1_000_000_000n),
        nanoseconds: Number(found.mtimeNs % 1_000_000_000n),
      },
      size: type === 'file' && first === undefined ? Number(found.size) : 0,
      linkPath: bytes(first ?? (type === 'symlink' ? await files.readlink(one.path) : '')),
      ...deviceOf(type, found.rdev),
      xattrs: undefined,
    }
    yield formatEntry(entry)
    if (entry.size > 0) yield* contentOf(one.path, entry.size)
    if (type !== 'directory') continue
    for (const child of await files.readdir(one.path)) {
      todo.push({ path: join(one.path, child), name: `${one.name}/${child}` })
    }
  }
  yield Buffer.alloc(2 * BLOCK_BYTES)
}

async function* contentOf(path: string, size: number): AsyncGenerator<Buffer> {
  await using file = await files.open(path)
  let left = size
  while (left > 0) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left)))
    if (bytesRead === 0) throw new CliError(`Cannot copy ${path}: it became shorter meanwhile`)
    left -= bytesRead
    yield buffer.subarray(0, bytesRead)
  }
  yield Buffer.alloc(padding(size))
}

function deviceOf(type: TarEntryType, rdev: bigint): { major: number; minor: number } {
  if (type !== 'character' && type !== 'block') return { major: 0, minor: 0 }
  return { major: Number((rdev >> 8n) & 0xfffn), minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n)) }
}

/** As byte strings: one character a byte. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}
