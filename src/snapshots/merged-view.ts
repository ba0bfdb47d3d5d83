import { mkdirSync, rmdirSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { StatusError } from '../lib/errors.ts'
import { close, openDirectoryNoSymlinks } from '../linux/at-calls.ts'
import { cloneMounts, MS_RDONLY, mount, unmount } from '../linux/mount.ts'
import { lookupAt } from './layer-tree.ts'
import { overlayOptions } from './overlay-options.ts'
import { type PathNode, splitPath } from './resolve-path.ts'

/** An empty directory among the layers: overlayfs wants two when there is no upper one. */
export const EMPTY_LAYER = '.empty'
export const VIEW_PREFIX = '.view-'

/** The layers below one, read as the single root filesystem that they are. */
export class MergedView implements Disposable {
  readonly root: number

  /**
   * Mounts the layers and keeps only a copy that is in no namespace: the mount itself is gone before this returns.
   *
   * @param layers directories, top first, relative to the working directory; at least one
   */
  constructor(layers: readonly string[]) {
    const options = overlayOptions({ layers: layers.length === 1 ? [...layers, EMPTY_LAYER] : layers })
    if (options === undefined) throw new StatusError('invalid_argument', `Cannot mount ${layers.length} layers`)
    const target = `${VIEW_PREFIX}${threadId}`
    // Through /proc: node resolves relative paths by the process's working directory, not this thread's.
    const nodePath = `/proc/thread-self/cwd/${target}`
    mkdirSync(nodePath, { recursive: true })
    mount('overlay', target, 'overlay', MS_RDONLY, options)
    try {
      this.root = cloneMounts(target)
    } finally {
      unmount(target)
      rmdirSync(nodePath)
    }
  }

  /** O_PATH of a directory, or the negative errno; `path` is real: no symlink is followed. */
  open(path: string): number {
    return openDirectoryNoSymlinks(this.root, path)
  }

  lookup(path: string): PathNode {
    if (path === '') return { kind: 'directory' }
    const { directory, name } = splitPath(path)
    const parent = this.open(directory)
    if (parent < 0) return { kind: 'absent' }
    try {
      return lookupAt(parent, name)
    } finally {
      close(parent)
    }
  }

  [Symbol.dispose](): void {
    close(this.root)
  }
}
