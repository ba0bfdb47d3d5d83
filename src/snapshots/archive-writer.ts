import { constants, writeSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import type { TarEntry, TarSink } from '../lib/tar/entry.ts'
import {
  check,
  close,
  displayPath,
  EEXIST,
  ftruncate,
  lchownat,
  linkat,
  lstatat,
  mkdirat,
  O_PATH,
  openat,
  unlinkat,
} from '../linux/at-calls.ts'
import { statOrThrow } from './copy-node.ts'
import {
  type DirectoryToFinish,
  makeSpecial,
  SPECIAL_BITS,
  setDirectoryAttributes,
  setFileAttributes,
  setSpecialAttributes,
} from './entry-attributes.ts'
import { cleanArchivePath, findNode, shown } from './find-node.ts'
import { isDirectory, joinPath, LayerTree } from './layer-tree.ts'
import { removeTree } from './remove-tree.ts'
import { cleanPath, splitPath } from './resolve-path.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants

/** Whoever puts something in the way of each try has won, and the copy fails. */
const TRIES = 16

export interface WriteRequest {
  /** A directory in the root; absolute or not. */
  readonly path: string
  /** A directory is not replaced by something else, nor something else by a directory. */
  readonly keepKind: boolean
}

/**
 * Writes the entries of an archive below a directory of a root filesystem that others may be changing meanwhile. Every parent is
 * opened within the root's descriptor, and what is made is made by its last name in that open parent, which never follows a
 * symlink: whatever somebody swaps meanwhile, nothing outside the root can be reached. A file is made anew and never written
 * through what was there. Directories that are there keep their owner, mode and time.
 */
export class ArchiveWriter implements TarSink, Disposable {
  readonly #tree: LayerTree
  /** Of the directory, from the root. */
  readonly #base: string
  readonly #keepKind: boolean
  readonly #directories: DirectoryToFinish[] = []
  /** The entry at work, for messages. */
  currentPath = ''
  #file = -1
  #parent = -1
  #name = ''
  #entry: TarEntry | undefined
  #position = 0

  /** @throws {StatusError} `not_found`, `invalid_argument` if there is no such directory */
  constructor(root: number, { path, keepKind }: WriteRequest) {
    using found = findNode(root, path, true)
    if (!isDirectory(statOrThrow(found.fd, ''))) {
      throw new StatusError('invalid_argument', `"${shown(path)}" is not a directory`)
    }
    this.#tree = new LayerTree(check('open the root', openat(root, '.', O_PATH | O_DIRECTORY)), () => {})
    this.#base = cleanArchivePath(path).slice(1)
    this.#keepKind = keepKind
  }

  entry(entry: TarEntry): void {
    this.currentPath = entry.path
    const inside = cleanPath(entry.path)
    if (inside === '') {
      if (entry.type === 'directory') return
      throw new StatusError('invalid_argument', 'it would replace the directory that it is copied to')
    }
    const path = joinPath(this.#base, inside)
    const { directory, name } = splitPath(path)
    if (entry.type === 'directory') this.#makeDirectory(path, directory, name, entry)
    else if (entry.type === 'link') this.#makeLink(directory, name, joinPath(this.#base, cleanPath(entry.linkPath)))
    else if (entry.type === 'file') this.#startFile(directory, name, entry)
    else {
      this.#make(directory, name, (parent) => makeSpecial(parent, name, entry))
      setSpecialAttributes(this.#tree.directory(directory), name, entry)
    }
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (this.#file < 0) return
    for (let at = start; at < end; ) {
      const written = writeSync(this.#file, chunk, at, end - at, position + at - start)
      this.#position = Math.max(this.#position, position + at - start + written)
      at += written
    }
  }

  endEntry(): void {
    if (this.#file < 0) return
    if (this.#entry!.size !== this.#position) check('ftruncate', ftruncate(this.#file, this.#entry!.size))
    setFileAttributes(this.#file, this.#entry!)
    this.#closeFile()
  }

  /** After the last entry: what would have acted on what is made in a directory. */
  finish(): void {
    for (const finished of this.#directories) {
      const { directory, name } = splitPath(finished.path)
      const parent = this.#tree.directoryIfThere(directory)
      if (parent !== undefined) setDirectoryAttributes(parent, name, finished)
    }
  }

  /** A file that is not whole goes. */
  [Symbol.dispose](): void {
    if (this.#file >= 0) unlinkat(this.#parent, this.#name, 0)
    this.#closeFile()
    this.#tree[Symbol.dispose]()
  }

  #closeFile(): void {
    if (this.#file < 0) return
    close(this.#file)
    close(this.#parent)
    this.#file = -1
  }

  #startFile(directory: string, name: string, entry: TarEntry): void {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    const file = this.#make(directory, name, (parent) => openat(parent, name, flags, entry.mode & ~SPECIAL_BITS))
    this.#parent = openat(this.#tree.directory(directory), '.', O_PATH | O_DIRECTORY)
    this.#file = file
    this.#name = name
    this.#entry = entry
    this.#position = 0
  }

  #makeDirectory(path: string, directory: string, name: string, entry: TarEntry): void {
    const parent = this.#tree.directory(directory)
    const there = lstatat(parent, name)
    if (typeof there !== 'number' && isDirectory(there)) return
    if (typeof there !== 'number' && this.#keepKind) {
      throw new StatusError('conflict', `"${displayPath(name)}" is there, and is not a directory`)
    }
    this.#make(directory, name, (fd) => mkdirat(fd, name, entry.mode & ~SPECIAL_BITS))
    if (entry.uid !== 0 || entry.gid !== 0) {
      check('chown', lchownat(this.#tree.directory(directory), name, entry.uid, entry.gid))
    }
    this.#directories.push({ path, mode: entry.mode, mtime: entry.mtime, xattrs: entry.xattrs })
  }

  #makeLink(directory: string, name: string, target: string): void {
    const { directory: targetDirectory, name: targetName } = splitPath(target)
    if (target === joinPath(directory, name)) return
    const from = this.#tree.directoryIfThere(targetDirectory)
    if (from === undefined) throw new StatusError('invalid_argument', `no file for the link to ${displayPath(target)}`)
    // The tree may close it to open the other.
    const held = check('open', openat(from, '.', O_PATH | O_DIRECTORY))
    try {
      this.#make(directory, name, (parent) => linkat(held, targetName, parent, name))
    } finally {
      close(held)
    }
  }

  /** Makes something by `call`, which reports EEXIST; what is there gives way. */
  #make(directory: string, name: string, call: (parent: number) => number): number {
    for (let tries = 1; ; tries++) {
      const result = call(this.#tree.directory(directory))
      if (result !== -EEXIST || tries === TRIES) return check(`create ${displayPath(name)}`, result)
      this.#displace(directory, name)
    }
  }

  #displace(directory: string, name: string): void {
    const parent = this.#tree.directory(directory)
    const there = lstatat(parent, name)
    if (typeof there === 'number') return
    if (isDirectory(there) && this.#keepKind) {
      throw new StatusError('conflict', `"${displayPath(name)}" is there, and is a directory`)
    }
    removeTree(parent, name)
    this.#tree.forgetOpen()
  }
}
