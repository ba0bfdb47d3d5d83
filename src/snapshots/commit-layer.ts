import { constants, readdirSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  check,
  close,
  displayPath,
  type FileStat,
  lchownat,
  linkat,
  lstatat,
  lutimesat,
  O_PATH,
  openat,
  openDirectoryNoSymlinks,
  unlinkat,
} from '../linux/at-calls.ts'
import { copyNode, readXattrs, statOrThrow } from './copy-node.ts'
import { setDirectoryAttributes } from './entry-attributes.ts'
import { layerError } from './layer-error.ts'
import { isDirectory, joinPath, LayerTree } from './layer-tree.ts'
import { MergedView } from './merged-view.ts'
import { moveChildren } from './move-children.ts'
import { isOpaque, isWhiteout, makeWhiteout, setOpaque } from './overlay-marks.ts'
import { isWithin, type PathNode, resolveDirectory, splitPath } from './resolve-path.ts'
import type { PendingLink, Unpacked } from './unpacked.ts'

/**
 * Settles what an unpacked layer takes from the layers below it. Runs in a Worker, in the layers' directory.
 *
 * The outcome is as if the archive had been unpacked on top of them: what lies in a directory that the archive does
 * not describe goes where that path leads there, and that directory stays as it was.
 *
 * @param parents directories, top first
 */
export function commitLayer(unpacked: Unpacked, parents: readonly string[]): void {
  const { directory } = unpacked
  try {
    using view = parents.length === 0 ? undefined : new MergedView(parents)
    using commit = new LayerCommit(unpacked, view)
    commit.relocate()
    commit.link()
    commit.dropWhiteouts()
    commit.hideRoot()
    commit.inherit()
  } catch (error) {
    throw layerError(`Cannot put layer ${directory} on the layers below it`, error)
  }
}

const { O_DIRECTORY, O_NOFOLLOW } = constants

class LayerCommit implements Disposable {
  readonly #tree: LayerTree
  readonly #view: MergedView | undefined
  readonly #opaqueRoot: boolean
  #pendingLinks: readonly PendingLink[]
  #whiteouts: readonly string[]
  #bytesLeft: number

  constructor(unpacked: Unpacked, view: MergedView | undefined) {
    const { directory, impliedDirectories } = unpacked
    const root = check(`open ${directory}`, openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY))
    this.#tree = new LayerTree(root, () => {})
    for (const path of impliedDirectories) this.#tree.implied.add(path)
    this.#view = view
    this.#opaqueRoot = unpacked.opaqueRoot
    this.#pendingLinks = unpacked.pendingLinks
    this.#whiteouts = unpacked.whiteouts
    this.#bytesLeft = unpacked.bytesLeft
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]()
  }

  /** Where the layers below have a symlink in place of an implied directory, its content moves to where that leads. */
  relocate(): void {
    // The set is walked while it changes: what a move adds is still visited, what it deletes is not.
    for (const path of this.#tree.implied) if (this.#below(path).kind === 'symlink') this.#relocateOne(path)
  }

  /** Hard links to files of the layers below: the file is copied up to its own path first, as overlayfs's link(2) does. */
  link(): void {
    for (const { path, target } of this.#pendingLinks) {
      const { directory, name } = splitPath(path)
      const there = this.#stat(path)
      // What is there already came later in the archive, and wins; but a whiteout only hides what is below.
      if (there !== undefined && !isWhiteout(there)) continue
      if (there !== undefined) this.#tree.displace(directory, name)
      const { directory: targetDirectory, name: targetName } = splitPath(target)
      const realTarget = resolveDirectory(targetDirectory, (candidate) => this.#lookup(candidate))
      const source = this.#copyUp(realTarget, targetName, target)
      try {
        this.#keepingTime(directory, (parent) =>
          check(`link ${displayPath(path)}`, linkat(source, targetName, parent, name)),
        )
      } finally {
        close(source)
      }
    }
  }

  /** Those that hide nothing. */
  dropWhiteouts(): void {
    for (const path of this.#whiteouts) {
      const own = this.#stat(path)
      if (own === undefined || !isWhiteout(own) || this.#below(path).kind !== 'absent') continue
      const { directory, name } = splitPath(path)
      this.#keepingTime(directory, (parent) => check(`unlink ${displayPath(path)}`, unlinkat(parent, name, 0)))
    }
  }

  /** overlayfs merges all roots, opaque or not: each name below is hidden by itself. */
  hideRoot(): void {
    if (!this.#opaqueRoot || this.#view === undefined) return
    const { root } = this.#tree
    for (const name of readdirSync(`/proc/self/fd/${this.#view.root}`, { encoding: 'latin1' })) {
      const stat = lstatat(root, name)
      if (typeof stat === 'number') makeWhiteout(root, name)
      else if (isDirectory(stat)) setOpaque(root, name)
    }
  }

  /** Implied directories look as they do below; those that are nowhere below stay as they were made. */
  inherit(): void {
    if (this.#view === undefined) return
    for (const path of this.#tree.implied) {
      if (this.#below(path).kind !== 'directory') continue
      const own = this.#stat(path)
      if (own === undefined || !isDirectory(own)) continue
      const from = check(`open ${displayPath(path)}`, this.#view.open(path))
      try {
        const { uid, gid, mode, mtime } = statOrThrow(from, '.')
        const to = this.#tree.directory(path)
        check('chown', lchownat(to, '.', uid, gid))
        setDirectoryAttributes(to, '.', { path, mode: mode & 0o7777, mtime, xattrs: readXattrs(from, '') })
      } finally {
        close(from)
      }
    }
  }

  #relocateOne(path: string): void {
    const target = resolveDirectory(path, (candidate) => this.#lookup(candidate))
    const moved = (old: string) => (isWithin(old, path) ? joinPath(target, old.slice(path.length + 1)) : old)
    const implied = [...this.#tree.implied].filter((old) => old !== path && isWithin(old, path)).map(moved)
    // One that the archive describes at the target keeps what it says.
    const stillImplied = implied.filter((now) => this.#tree.implied.has(now) || this.#stat(now) === undefined)
    const { directory, name } = splitPath(path)
    this.#keepingTime(directory, (parent) => {
      const from = check(`open ${displayPath(path)}`, openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW))
      try {
        const to = this.#tree.directory(target)
        if (isOpaque(from, '')) setOpaque(to, '')
        moveChildren(from, to)
      } finally {
        close(from)
      }
      check(`rmdir ${displayPath(path)}`, unlinkat(parent, name, AT_REMOVEDIR))
    })
    this.#tree.forgetOpen()
    for (const old of this.#tree.implied) if (isWithin(old, path)) this.#tree.implied.delete(old)
    for (const now of stillImplied) this.#tree.implied.add(now)
    this.#pendingLinks = this.#pendingLinks.map((link) => ({ ...link, path: moved(link.path) }))
    this.#whiteouts = this.#whiteouts.map(moved)
  }

  /** O_PATH of the directory of this layer that then has the file; the caller closes it. */
  #copyUp(directory: string, name: string, asWritten: string): number {
    const path = joinPath(directory, name)
    const own = this.#stat(path)
    const isHere = own !== undefined && !isWhiteout(own)
    const below = own === undefined ? this.#below(path).kind : 'absent'
    if (!isHere && (below === 'absent' || below === 'directory')) {
      throw new StatusError('invalid_argument', `No file for the hard link to "${displayPath(asWritten)}"`)
    }
    if (!isHere) {
      const from = check(`open ${displayPath(directory)}`, this.#view!.open(directory))
      try {
        this.#keepingTime(directory, (parent) => copyNode(from, parent, name, (bytes) => this.#charge(bytes)))
      } finally {
        close(from)
      }
    }
    return check(`open ${displayPath(directory)}`, openDirectoryNoSymlinks(this.#tree.root, directory))
  }

  /** What the merged root has at `path`, which has no symlink before its last name. */
  #lookup(path: string): PathNode {
    const own = this.#stat(path)
    if (own === undefined) return this.#below(path)
    if (isWhiteout(own)) return { kind: 'absent' }
    if (isDirectory(own) && this.#tree.implied.has(path)) {
      const below = this.#below(path)
      if (below.kind === 'symlink') return below
    }
    return this.#tree.lookup(path)
  }

  /** What the layers below have at `path`, as far as this layer lets it be seen. */
  #below(path: string): PathNode {
    if (this.#view === undefined) return { kind: 'absent' }
    if (path === '') return { kind: 'directory' }
    if (this.#opaqueRoot) return { kind: 'absent' }
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const ancestor = path.slice(0, end)
      const own = this.#stat(ancestor)
      if (own === undefined) break
      if (!isDirectory(own) || isOpaque(this.#tree.root, ancestor)) return { kind: 'absent' }
    }
    return this.#view.lookup(path)
  }

  /** Of this layer's own. */
  #stat(path: string): FileStat | undefined {
    const { directory, name } = splitPath(path)
    const parent = openDirectoryNoSymlinks(this.#tree.root, directory)
    if (parent < 0) return undefined
    try {
      const stat = lstatat(parent, name === '' ? '.' : name)
      return typeof stat === 'number' ? undefined : stat
    } finally {
      close(parent)
    }
  }

  /** Changes a directory of the archive, whose time is already set. */
  #keepingTime(path: string, change: (directory: number) => void): void {
    this.#tree.directory(path)
    const directory = check(`open ${displayPath(path)}`, openDirectoryNoSymlinks(this.#tree.root, path))
    try {
      const { mtime } = statOrThrow(directory, '.')
      change(directory)
      check('utimens', lutimesat(directory, '.', mtime))
    } finally {
      close(directory)
    }
  }

  #charge(bytes: number): void {
    this.#bytesLeft -= bytes
    if (this.#bytesLeft < 0) throw new StatusError('resource_exhausted', 'It needs more than the disk may give')
  }
}
