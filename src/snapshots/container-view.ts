import { constants, mkdirSync, rmdirSync, statSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { StatusError, systemCode } from '../lib/errors.ts'
import {
  AT_FDCWD,
  bytePath,
  check,
  close,
  EEXIST,
  ENOENT,
  O_PATH,
  openat,
  openat2,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../linux/at-calls.ts'
import { cloneMounts, MS_BIND, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT, mount, unmount } from '../linux/mount.ts'
import { LayerTree } from './layer-tree.ts'
import { EMPTY_LAYER, VIEW_PREFIX } from './merged-view.ts'
import { overlayOptions } from './overlay-options.ts'
import { splitPath } from './resolve-path.ts'

export interface ViewMount {
  /** Of the host. */
  readonly source: string
  /** In the container, absolute. */
  readonly destination: string
  readonly readOnly: boolean
}

export interface ViewInput {
  /** Names below the layers' directory, top first. */
  readonly layers: readonly string[]
  readonly upper: string
  readonly work: string
  readonly mounts: readonly ViewMount[]
  /** Nothing else may have this upper directory mounted as long as the view is open. */
  readonly writable: boolean
  /** Of the root: what is mounted into it may be written to all the same. */
  readonly readOnlyRoot: boolean
}

/**
 * The root filesystem of a container that does not run, with what is mounted into it, as a descriptor: it is in no mount
 * namespace, so that nobody can walk into it, and it is gone with its descriptor. What is mounted by path meanwhile, on a
 * directory whose name begins with VIEW_PREFIX, the next daemon takes away if this one dies. Runs in a Worker.
 *
 * Destinations are resolved within the root; those that are not there are made, as the runtime makes them at a start.
 */
export function openContainerView(input: ViewInput): number {
  if (input.writable) return mountView(input, true)!
  // Without an upper directory of its own nothing can be made in it.
  const view = mountView(input, false)
  if (view !== undefined) return view
  close(mountView({ ...input, writable: true, readOnlyRoot: false }, true)!)
  return mountView(input, false) ?? failed(input.upper)
}

/** Undefined if a destination is not there and must not be made. */
function mountView(
  { layers, upper, work, mounts, writable, readOnlyRoot }: ViewInput,
  make: boolean,
): number | undefined {
  const names = layers.length === 0 ? [EMPTY_LAYER] : layers
  const options = writable
    ? overlayOptions({ layers: names, upper, work })
    : overlayOptions({ layers: [upper, ...names] })
  if (options === undefined) throw new StatusError('invalid_argument', `Cannot mount ${layers.length} layers`)
  const target = `${VIEW_PREFIX}${threadId}`
  // Through /proc: node resolves relative paths by the process's working directory, not this thread's.
  const nodePath = `/proc/thread-self/cwd/${target}`
  mkdirSync(nodePath, { recursive: true })
  mount('overlay', target, 'overlay', writable ? 0 : MS_RDONLY, options)
  try {
    mount('none', target, null, MS_PRIVATE, null)
    const root = check(`open ${target}`, openat(AT_FDCWD, target, O_PATH | constants.O_DIRECTORY))
    try {
      for (const one of mounts.toSorted((a, b) => a.destination.length - b.destination.length)) {
        if (!attach(root, one, make)) return undefined
      }
    } finally {
      close(root)
    }
    if (writable && readOnlyRoot) mount('none', target, null, MS_REMOUNT | MS_BIND | MS_RDONLY, null)
    return cloneMounts(target)
  } finally {
    unmount(target)
    rmdirSync(nodePath)
  }
}

/** False if the destination is not there and must not be made. What has gone from the host is left out. */
function attach(root: number, { source, destination, readOnly }: ViewMount, make: boolean): boolean {
  const stat = statSync(source, { throwIfNoEntry: false })
  if (stat === undefined) return true
  let point = openPoint(root, destination)
  if (point === -ENOENT && !make) return false
  if (point === -ENOENT) {
    makePoint(root, bytePath(destination), stat.isDirectory())
    point = openPoint(root, destination)
  }
  if (point < 0) return true
  try {
    mount(source, `/proc/self/fd/${point}`, null, MS_BIND | MS_REC, null)
  } catch (error) {
    // A file on a directory, or the other way round: the container could not start either.
    if (systemCode(error) !== 'ENOTDIR') throw error
    return true
  } finally {
    close(point)
  }
  if (!readOnly) return true
  const mounted = check(`open ${destination}`, openPoint(root, destination))
  try {
    mount('none', `/proc/self/fd/${mounted}`, null, MS_REMOUNT | MS_BIND | MS_RDONLY, null)
  } finally {
    close(mounted)
  }
  return true
}

function openPoint(root: number, destination: string): number {
  return openat2(root, bytePath(destination), O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
}

function makePoint(root: number, destination: string, isDirectory: boolean): void {
  const own = check('open', openat(root, '.', O_PATH | constants.O_DIRECTORY))
  using tree = new LayerTree(own, () => {})
  const path = destination.slice(1)
  if (isDirectory) {
    tree.directory(path)
    return
  }
  const { directory, name } = splitPath(path)
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  const made = openat(tree.directory(directory), name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o755)
  if (made !== -EEXIST) close(check(`create ${destination}`, made))
}

function failed(upper: string): never {
  throw new StatusError('internal', `Cannot look into the files of the container at ${upper}`)
}
