import { constants, writeSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import type { TarEntry, TarSink } from '../lib/tar/entry.ts'
import {
  check,
  close,
  EEXIST,
  fchmodat,
  ftruncate,
  lchownat,
  linkat,
  lstatat,
  mkdirat,
  openat,
  openDirectoryInRoot,
} from '../linux/at-calls.ts'
import {
  type DirectoryToFinish,
  makeSpecial,
  SPECIAL_BITS,
  setDirectoryAttributes,
  setFileAttributes,
  setSpecialAttributes,
} from './entry-attributes.ts'
import { isDirectory, joinPath, LayerTree, mkdirOverWhiteout } from './layer-tree.ts'
import {
  isWhiteout,
  makeWhiteout,
  OPAQUE_WHITEOUT,
  setOpaque,
  WHITEOUT_META_PREFIX,
  WHITEOUT_PREFIX,
} from './overlay-marks.ts'
import { cleanPath, splitPath } from './resolve-path.ts'
import type { PendingLink, Unpacked } from './unpacked.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants

const MAX_ENTRIES = 2_000_000
/** What a name, and what a directory or a symlink costs on disk beyond its data. */
const INODE_BYTES = 256
const BLOCK_BYTES = 4096

/**
 * Writes the entries of one layer's archive into an empty directory, in overlayfs's own format, and notes what only the layers
 * below can tell. The archive is not trusted. Needs root and umask 0 (modes are exact without a chmod).
 *
 * What is set on a directory and would act on what is made in it (setgid, a default ACL, mtime) is set by `finish`.
 */
export class LayerWriter implements TarSink, Disposable {
  readonly #tree: LayerTree
  readonly #directories: DirectoryToFinish[] = []
  readonly #pendingLinks: PendingLink[] = []
  readonly #whiteouts: string[] = []
  #opaqueRoot = false
  #entries = 0
  #usedBytes = 0
  readonly #maxBytes: number

  /** The entry at work, for messages. */
  currentPath = ''
  /** The regular file at work. */
  #file = -1
  #entry: TarEntry | undefined
  /** Where the next write lands without being told. */
  #position = 0

  /** @param root descriptor of the layer's directory; the writer closes it */
  constructor(root: number, maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#tree = new LayerTree(root, () => this.#charge(BLOCK_BYTES))
    this.#tree.implied.add('')
  }

  entry(entry: TarEntry): void {
    this.currentPath = entry.path
    if (++this.#entries > MAX_ENTRIES) {
      throw new StatusError('resource_exhausted', `A layer may have ${MAX_ENTRIES} entries at most`)
    }
    this.#charge(INODE_BYTES)
    const path = cleanPath(entry.path)
    if (path === '') this.#describeRoot(entry)
    else if (!path.includes(WHITEOUT_PREFIX) || !this.#whiteoutEntry(path)) this.#write(path, entry)
  }

  #write(path: string, entry: TarEntry): void {
    const { directory, name } = splitPath(path)
    switch (entry.type) {
      case 'file':
        this.#startFile(directory, name, entry)
        break
      case 'directory':
        this.#makeDirectory(path, directory, name, entry)
        break
      case 'link':
        this.#makeLink(directory, name, cleanPath(entry.linkPath))
        break
      default:
        // Such a device is what overlayfs takes for a whiteout, whoever made it.
        if (entry.type === 'character' && entry.major === 0 && entry.minor === 0) {
          this.#makeWhiteout(directory, name)
          break
        }
        this.#charge(BLOCK_BYTES)
        this.#make(directory, name, (parent) => makeSpecial(parent, name, entry))
        setSpecialAttributes(this.#tree.directory(directory), name, entry)
    }
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    this.#charge(end - start)
    if (this.#file < 0) return
    for (let at = start; at < end; ) {
      const target = position + at - start
      const written = writeSync(this.#file, chunk, at, end - at, target === this.#position ? null : target)
      // A write with a position does not move the file's own.
      if (target === this.#position) this.#position += written
      at += written
    }
  }

  endEntry(): void {
    if (this.#file < 0) return
    const file = this.#file
    if (this.#entry!.size !== this.#position) check('ftruncate', ftruncate(file, this.#entry!.size))
    setFileAttributes(file, this.#entry!)
    this.#closeFile()
  }

  /** After the last entry. `directory` is the layer's name. */
  finish(directory: string): Unpacked {
    for (const finished of this.#directories) this.#finishDirectory(finished)
    return {
      directory,
      impliedDirectories: [...this.#tree.implied].sort((a, b) => depth(a) - depth(b)),
      pendingLinks: this.#pendingLinks,
      whiteouts: this.#whiteouts,
      opaqueRoot: this.#opaqueRoot,
      entries: this.#entries,
      usedBytes: this.#usedBytes,
      bytesLeft: this.#maxBytes - this.#usedBytes,
    }
  }

  [Symbol.dispose](): void {
    this.#closeFile()
    this.#tree[Symbol.dispose]()
  }

  #closeFile(): void {
    if (this.#file >= 0) close(this.#file)
    this.#file = -1
  }

  #charge(bytes: number): void {
    this.#usedBytes += bytes
    if (this.#usedBytes > this.#maxBytes) {
      throw new StatusError(
        'resource_exhausted',
        `The layer needs more than the ${this.#maxBytes} bytes that it may take on this disk`,
      )
    }
  }

  #describeRoot(entry: TarEntry): void {
    if (entry.type !== 'directory') throw new StatusError('invalid_argument', 'An entry replaces the root directory')
    this.#tree.implied.delete('')
    check('chown the root', lchownat(this.#tree.root, '.', entry.uid, entry.gid))
    this.#directories.push({ path: '', mode: entry.mode, mtime: entry.mtime, xattrs: entry.xattrs })
  }

  /** @returns false if the path only looks like one */
  #whiteoutEntry(path: string): boolean {
    const names = path.split('/')
    if (names.some((name) => name.startsWith(WHITEOUT_META_PREFIX) && name !== OPAQUE_WHITEOUT)) return true
    const name = names.pop()!
    if (names.some((parent) => parent.startsWith(WHITEOUT_PREFIX))) {
      throw new StatusError('invalid_argument', 'An entry lies below a whiteout')
    }
    if (!name.startsWith(WHITEOUT_PREFIX)) return false
    const directory = names.join('/')
    if (name === OPAQUE_WHITEOUT) this.#makeOpaque(directory)
    else this.#makeWhiteout(directory, name.slice(WHITEOUT_PREFIX.length))
    return true
  }

  #makeOpaque(directory: string): void {
    if (this.#tree.realPath(directory) === '') this.#opaqueRoot = true
    else setOpaque(this.#tree.directory(directory), '')
  }

  /** Hides what the layers below have there, and nothing of this one (image-spec, layer.md#whiteouts). */
  #makeWhiteout(directory: string, name: string): void {
    if (name === '' || name === '.' || name === '..') {
      throw new StatusError('invalid_argument', 'A whiteout names no file')
    }
    const parent = this.#tree.directory(directory)
    const stat = lstatat(parent, name)
    if (typeof stat === 'number') {
      makeWhiteout(parent, name)
      this.#whiteouts.push(joinPath(this.#tree.realPath(directory), name))
    } else if (isDirectory(stat)) {
      setOpaque(parent, name)
      this.#tree.implied.delete(joinPath(this.#tree.realPath(directory), name))
    }
  }

  #startFile(directory: string, name: string, entry: TarEntry): void {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    this.#entry = entry
    this.#position = 0
    this.#file = this.#make(directory, name, (parent) => openat(parent, name, flags, entry.mode & ~SPECIAL_BITS))
  }

  #makeDirectory(path: string, directory: string, name: string, entry: TarEntry): void {
    this.#charge(BLOCK_BYTES)
    const parent = this.#tree.directory(directory)
    const mode = entry.mode & ~SPECIAL_BITS
    if (mkdirat(parent, name, mode) < 0) this.#makeDirectoryOver(directory, name, mode)
    if (entry.uid !== 0 || entry.gid !== 0) {
      check('chown', lchownat(this.#tree.directory(directory), name, entry.uid, entry.gid))
    }
    this.#directories.push({ path, mode: entry.mode, mtime: entry.mtime, xattrs: entry.xattrs })
  }

  #makeDirectoryOver(directory: string, name: string, mode: number): void {
    const before = mkdirOverWhiteout(this.#tree.directory(directory), name, mode, () => {})
    if (typeof before === 'string') return
    if (isDirectory(before)) {
      check('chmod', fchmodat(this.#tree.directory(directory), name, mode))
      if (before.uid !== 0 || before.gid !== 0) check('chown', lchownat(this.#tree.directory(directory), name, 0, 0))
      if (this.#tree.implied.size > 0) this.#tree.implied.delete(joinPath(this.#tree.realPath(directory), name))
      return
    }
    this.#tree.displace(directory, name)
    check('mkdir', mkdirat(this.#tree.directory(directory), name, mode))
  }

  #makeLink(directory: string, name: string, target: string): void {
    const { directory: targetDirectory, name: targetName } = splitPath(target)
    if (target === joinPath(directory, name)) return
    const targetParent = openDirectoryInRoot(this.#tree.root, targetDirectory)
    try {
      const there = targetParent < 0 ? targetParent : lstatat(targetParent, targetName)
      if (typeof there === 'number' || isWhiteout(there)) this.#linkLater(directory, name, target)
      else this.#make(directory, name, (parent) => linkat(targetParent, targetName, parent, name))
    } finally {
      if (targetParent >= 0) close(targetParent)
    }
  }

  #linkLater(directory: string, name: string, target: string): void {
    this.#charge(BLOCK_BYTES)
    this.#tree.directory(directory)
    this.#tree.displace(directory, name)
    this.#pendingLinks.push({ path: joinPath(this.#tree.realPath(directory), name), target })
  }

  /** Makes something by `call`, which reports EEXIST; what is there gives way: the last entry wins. */
  #make(directory: string, name: string, call: (parent: number) => number): number {
    let result = call(this.#tree.directory(directory))
    if (result === -EEXIST) {
      this.#tree.displace(directory, name)
      result = call(this.#tree.directory(directory))
    }
    return check('create', result)
  }

  #finishDirectory(finished: DirectoryToFinish): void {
    this.currentPath = finished.path
    const { directory, name } = splitPath(finished.path)
    const parent = this.#tree.directoryIfThere(directory)
    if (parent !== undefined) setDirectoryAttributes(parent, name === '' ? '.' : name, finished)
  }
}

function depth(path: string): number {
  return path === '' ? 0 : path.split('/').length
}
