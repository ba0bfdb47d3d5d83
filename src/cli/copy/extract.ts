import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { TarEntry, TarSink } from '../../lib/tar/entry.ts'
import { CliError } from '../errors.ts'
import { renamed } from './copy-path.ts'

const SET_ID_BITS = 0o6000

interface ExtractOptions {
  /** Of what the archive begins with. */
  readonly rename?: string
  /** Keep owners and set-id bits; else all is the caller's. */
  readonly keepOwner: boolean
  readonly warn: (message: string) => void
}

/**
 * Writes an archive below a directory of this host. What is in a container is not trusted: no name leads out of the directory,
 * no symlink on the way is followed, whoever made it, and a directory is not replaced by something else. Devices and FIFOs
 * are left out, with a warning.
 */
export class Extractor implements TarSink, Disposable {
  readonly #directory: string
  readonly #options: ExtractOptions
  /** Directories that are known to be none of a symlink's making. */
  readonly #safe = new Set<string>([''])
  readonly #directories: { path: string; entry: TarEntry }[] = []
  #file = -1
  #path = ''
  #entry: TarEntry | undefined
  #end = 0

  constructor(directory: string, options: ExtractOptions) {
    this.#directory = directory
    this.#options = options
  }

  entry(entry: TarEntry): void {
    const path = this.#place(entry.path)
    if (path === '' && entry.type === 'directory') return
    this.#assertSafe(dirname(path) === '.' ? '' : dirname(path))
    const target = join(this.#directory, path)
    switch (entry.type) {
      case 'directory':
        this.#makeDirectory(path, target, entry)
        break
      case 'file':
        clearTheWay(target)
        this.#path = target
        this.#entry = entry
        this.#end = 0
        this.#file = openSync(target, 'wx', 0o600)
        break
      case 'symlink':
        clearTheWay(target)
        symlinkSync(Buffer.from(entry.linkPath, 'latin1'), target)
        if (this.#options.keepOwner) lchownSync(target, entry.uid, entry.gid)
        lutimesSync(target, seconds(entry), seconds(entry))
        break
      case 'link': {
        const existing = this.#place(entry.linkPath)
        this.#assertSafe(dirname(existing) === '.' ? '' : dirname(existing))
        clearTheWay(target)
        linkSync(join(this.#directory, existing), target)
        break
      }
      default:
        this.#options.warn(`${target} is left out: it is a ${entry.type} special file`)
    }
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (this.#file < 0) return
    for (let at = start; at < end; ) at += writeSync(this.#file, chunk, at, end - at, position + at - start)
    this.#end = Math.max(this.#end, position + end - start)
  }

  endEntry(): void {
    if (this.#file < 0) return
    const entry = this.#entry!
    if (entry.size !== this.#end) ftruncateSync(this.#file, entry.size)
    if (this.#options.keepOwner) fchownSync(this.#file, entry.uid, entry.gid)
    fchmodSync(this.#file, this.#modeOf(entry))
    futimesSync(this.#file, seconds(entry), seconds(entry))
    closeSync(this.#file)
    this.#file = -1
  }

  /** After the last entry. */
  finish(): void {
    for (const { path, entry } of this.#directories.reverse()) {
      if (this.#options.keepOwner) lchownSync(path, entry.uid, entry.gid)
      chmodSync(path, this.#modeOf(entry))
      utimesSync(path, seconds(entry), seconds(entry))
    }
  }

  /** A file that is not whole goes. */
  [Symbol.dispose](): void {
    if (this.#file < 0) return
    closeSync(this.#file)
    rmSync(this.#path, { force: true })
  }

  #modeOf({ mode }: TarEntry): number {
    return this.#options.keepOwner ? mode : mode & ~SET_ID_BITS
  }

  /** Below the directory; empty: itself. */
  #place(path: string): string {
    if (path.split('/').includes('..')) throw new CliError(`The archive has the name "${path}", which leads out of it`)
    const rename = this.#options.rename
    const place = renamed(path, rename === undefined ? undefined : Buffer.from(rename).toString('latin1'))
    return Buffer.from(place, 'latin1').toString('utf8')
  }

  #assertSafe(directory: string): void {
    if (this.#safe.has(directory)) return
    this.#assertSafe(dirname(directory) === '.' ? '' : dirname(directory))
    const path = join(this.#directory, directory)
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found === undefined) mkdirSync(path)
    else if (!found.isDirectory()) throw new CliError(`Cannot copy into "${path}": it is not a directory`)
    this.#safe.add(directory)
  }

  #makeDirectory(path: string, target: string, entry: TarEntry): void {
    const found = lstatSync(target, { throwIfNoEntry: false })
    if (found !== undefined && !found.isDirectory()) {
      throw new CliError(`Cannot copy a directory to "${target}": it is there, and is none`)
    }
    if (found === undefined) {
      mkdirSync(target, 0o700)
      this.#directories.push({ path: target, entry })
    }
    this.#safe.add(path)
  }
}

function clearTheWay(target: string): void {
  const found = lstatSync(target, { throwIfNoEntry: false })
  if (found?.isDirectory()) throw new CliError(`Cannot copy to "${target}": it is a directory`)
  if (found !== undefined) rmSync(target)
}

function seconds({ mtime }: TarEntry): number {
  return mtime.seconds + mtime.nanoseconds / 1e9
}
