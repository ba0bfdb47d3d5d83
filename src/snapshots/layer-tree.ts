import { constants } from 'node:fs'
import {
  check,
  close,
  displayPath,
  ENOENT,
  ENOTDIR,
  type FileStat,
  lstatat,
  mkdirat,
  O_PATH,
  openat,
  openDirectoryInRoot,
  openDirectoryNoSymlinks,
  readlinkat,
  unlinkat,
} from '../linux/at-calls.ts'
import { isWhiteout, setOpaque } from './overlay-marks.ts'
import { removeTree } from './remove-tree.ts'
import { isWithin, type PathNode, resolveDirectory, splitPath } from './resolve-path.ts'

const { S_IFMT, S_IFDIR, S_IFLNK, O_DIRECTORY, O_NOFOLLOW } = constants

/** Mode of a directory that no archive describes. */
const IMPLIED_MODE = 0o755
const MAX_OPEN_DIRECTORIES = 256

/**
 * The directory tree of one layer while it is written. All access goes through the root's descriptor, and symlinks of
 * the layer are followed as if it were `/`. Paths are clean byte strings relative to it (see resolve-path.ts).
 */
export class LayerTree implements Disposable {
  readonly root: number
  /** Directories that were made because something lies in them, by their real path. */
  readonly implied = new Set<string>()
  /** Called before a directory is made that the archive does not mention. */
  readonly #beforeImplied: () => void
  readonly #open = new Map<string, number>()

  constructor(root: number, beforeImplied: () => void) {
    this.root = root
    this.#beforeImplied = beforeImplied
  }

  /** O_PATH descriptor of a directory, made if it is not there; it stays valid until the next call. */
  directory(path: string): number {
    const there = this.directoryIfThere(path)
    return there ?? this.#remember(path, this.#makeDirectories(this.realPath(path)))
  }

  /** The same, or undefined if no directory is there. */
  directoryIfThere(path: string): number | undefined {
    if (path === '') return this.root
    const known = this.#open.get(path)
    if (known !== undefined) return known
    const fd = openDirectoryInRoot(this.root, path)
    if (fd === -ENOENT || fd === -ENOTDIR) return undefined
    return this.#remember(path, check(`open ${displayPath(path)}`, fd))
  }

  /** The real path of a directory that is there or would be made; see resolveDirectory. */
  realPath(path: string): string {
    return resolveDirectory(path, (candidate) => this.lookup(candidate))
  }

  /** @param path has no symlink before its last name */
  lookup(path: string): PathNode {
    const { directory, name } = splitPath(path)
    const fd = openDirectoryNoSymlinks(this.root, directory)
    if (fd < 0) return { kind: 'absent' }
    try {
      return lookupAt(fd, name)
    } finally {
      close(fd)
    }
  }

  /** Makes way for `name`: removes what is there, with all below it. */
  displace(directory: string, name: string): void {
    const parent = this.directory(directory)
    const stat = lstatat(parent, name)
    if (typeof stat === 'number') return
    if (isDirectory(stat)) {
      const real = joinPath(this.realPath(directory), name)
      for (const path of this.implied) if (isWithin(path, real)) this.implied.delete(path)
      removeTree(parent, name)
    } else check(`unlink ${displayPath(name)}`, unlinkat(parent, name, 0))
    if (isDirectory(stat) || (stat.mode & S_IFMT) === S_IFLNK) this.forgetOpen()
  }

  /** To be called when paths may lead elsewhere than before. */
  forgetOpen(): void {
    for (const fd of this.#open.values()) close(fd)
    this.#open.clear()
  }

  [Symbol.dispose](): void {
    this.forgetOpen()
    close(this.root)
  }

  #remember(path: string, fd: number): number {
    if (this.#open.size >= MAX_OPEN_DIRECTORIES) {
      const [oldestPath, oldestFd] = this.#open.entries().next().value!
      close(oldestFd)
      this.#open.delete(oldestPath)
    }
    this.#open.set(path, fd)
    return fd
  }

  /** `path` is a real one, as realPath gives it. */
  #makeDirectories(path: string): number {
    let fd = this.root
    let made = ''
    for (const name of path.split('/')) {
      made = joinPath(made, name)
      const result = mkdirOverWhiteout(fd, name, IMPLIED_MODE, this.#beforeImplied)
      if (result === 'made') this.implied.add(made)
      const next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW)
      if (fd !== this.root) close(fd)
      fd = check(`open ${displayPath(made)}`, next)
    }
    return fd
  }
}

/**
 * Makes a directory if the name is free. A whiteout there gives way and leaves the directory opaque: what is below is
 * still hidden.
 */
export function mkdirOverWhiteout(
  parent: number,
  name: string,
  mode: number,
  before: () => void,
): 'made' | 'made-opaque' | FileStat {
  const stat = lstatat(parent, name)
  const absent = typeof stat === 'number'
  if (!absent && !isWhiteout(stat)) return stat
  before()
  if (!absent) check(`unlink ${displayPath(name)}`, unlinkat(parent, name, 0))
  check(`mkdir ${displayPath(name)}`, mkdirat(parent, name, mode))
  if (absent) return 'made'
  setOpaque(parent, name)
  return 'made-opaque'
}

export function lookupAt(directory: number, name: string): PathNode {
  const stat = lstatat(directory, name)
  if (typeof stat === 'number' || isWhiteout(stat)) return { kind: 'absent' }
  if (isDirectory(stat)) return { kind: 'directory' }
  if ((stat.mode & S_IFMT) !== S_IFLNK) return { kind: 'other' }
  const target = readlinkat(directory, name)
  return typeof target === 'number' ? { kind: 'absent' } : { kind: 'symlink', target }
}

export function isDirectory(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFDIR
}

export function joinPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
