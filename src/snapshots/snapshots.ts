import { chmod, chown, mkdir, open, readdir, rename, rmdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError, systemCode } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { silentLogger } from '../lib/log.ts'
import * as linux from '../linux/mount.ts'
import { syncfs } from '../linux/sync.ts'
import { type Archives, openArchives } from './archives.ts'
import { EMPTY_LAYER, VIEW_PREFIX } from './merged-view.ts'
import { mountOverlay, type OverlayInput } from './mount-overlay.ts'
import { ensureMountPoints } from './mount-points.ts'
import { assertLayerCount } from './overlay-options.ts'
import { type SeedInput, VOLUME_DATA } from './seed-volume.ts'
import type { UnpackInput } from './unpack-layer.ts'
import type { Unpacked } from './unpacked.ts'
import { WorkerPool } from './worker-pool.ts'
import type { Job } from './worker-protocol.ts'

export interface SnapshotsOptions {
  /** Absolute; made if it is not there. Names in it that begin with a dot are this module's own. */
  readonly layersDir: string
  /** Layers unpacked at once; default 2. */
  readonly unpackThreads?: number
  /** The Workers' entry, where a bundle has it elsewhere than beside this module. */
  readonly workerEntry?: URL
  /** When idle Workers end; default 5 s. */
  readonly workerIdleMs?: number
}

export interface Snapshots extends AsyncDisposable {
  /**
   * Unpacks a compressed or plain archive into `layersDir/<directory>`, made anew, and verifies its diffId. Of a failure
   * nothing is left. May run side by side, whatever lies below the layer.
   *
   * @param onProgress gets the compressed bytes read so far
   * @throws {StatusError} `invalid_argument` for a bad archive or another diffId; `resource_exhausted` beyond `maxBytes`
   */
  unpack(ctx: Ctx, input: UnpackInput, onProgress?: (bytes: number) => void): Promise<Unpacked>
  /**
   * Settles what depends on the layers below, which are committed: directories that the archive does not describe take
   * owner, mode, attributes and time from there, or lead where a symlink does; hard links to files there are made by
   * copying them up. Once for each layer; a layer whose commit fails is to be removed.
   *
   * @param parents directories, top first
   * @throws {StatusError} `invalid_argument`, `resource_exhausted`
   */
  commit(ctx: Ctx, unpacked: Unpacked, parents: readonly string[]): Promise<void>
  /** Everything unpacked and committed is on disk when it resolves. */
  sync(): Promise<void>
  /** Idempotent. The directory is gone at once; its files go after it, before this resolves. */
  removeLayer(directory: string): Promise<void>
  /** Removes a directory tree of any depth that containers wrote to, off the main thread. Idempotent. Absolute path. */
  removeTree(path: string): Promise<void>
  /** The bytes on disk of what lies in a directory, off the main thread; 0 if it is not there. Absolute path. */
  measureTree(ctx: Ctx, path: string): Promise<number>
  /**
   * Fills a volume's directory, if there is nothing in it, with what a root filesystem of these layers has at a path, owners,
   * modes, attributes and links included. Nothing is seen of it before all is on disk.
   * @throws {StatusError} `resource_exhausted` if the disk is full
   */
  seedVolume(ctx: Ctx, input: Omit<SeedInput, 'maxBytes'>): Promise<void>
  /** Finishes or takes away what a seeding that was cut off has left in a volume's directory. Idempotent. */
  settleVolume(ctx: Ctx, directory: string): Promise<void>
  /**
   * Makes the upper and work directories of a container. Idempotent.
   *
   * @param topLayer whose root the container's is like: of an overlay's directories it is the upper one that is seen
   */
  prepare(containerDir: string, topLayer: string | undefined): Promise<void>
  /** Mounts an overlay. @throws {StatusError} `invalid_argument` above 500 layers */
  mount(input: Omit<OverlayInput, 'layersDir'>): Promise<void>
  readonly archives: Archives
  /** Whether anything is mounted at exactly this path. */
  isMounted(target: string): boolean
  /** Idempotent; lazy, so that it cannot be busy. The disk may take its time: the caller's thread does not. */
  unmount(target: string): Promise<void>
}

const TRASH_PREFIX = '.gone-'

/** Opens the layers' directory, and begins to remove what an earlier process left half removed. */
export async function openSnapshots(options: SnapshotsOptions): Promise<Snapshots> {
  const { layersDir } = options
  await mkdir(join(layersDir, EMPTY_LAYER), { recursive: true, mode: 0o700 })
  await ensureMountPoints(layersDir)
  const workers = {
    entry: options.workerEntry ?? new URL('./unpack-worker.ts', import.meta.url),
    data: { layersDir },
    idleMs: options.workerIdleMs ?? 5000,
  }
  const pool = new WorkerPool({ ...workers, maxWorkers: options.unpackThreads ?? 2 })
  const archives = openArchives(workers)
  // Nobody waits for these: a removal has no caller who could cancel it.
  const removalCtx: Ctx = { signal: new AbortController().signal, log: silentLogger }
  let walks: Promise<unknown> = Promise.resolve()
  /** One at a time, so that a Worker stays free for unpacking. */
  const walk = <T>(ctx: Ctx, job: Job): Promise<T> => {
    const result = walks.then(() => pool.run<T>(ctx, job))
    walks = result.catch(() => {})
    return result
  }
  let unmounts: Promise<void> = Promise.resolve()
  const remove = (path: string): Promise<void> => walk(removalCtx, { op: 'remove', path })
  await removeLeftovers(layersDir, remove)

  return {
    async unpack(ctx, input, onProgress) {
      assertLayerName(input.directory)
      failpoint('snapshots.unpack.start')
      return pool.run<Unpacked>(ctx, { op: 'unpack', input }, onProgress)
    },
    async commit(ctx, unpacked, parents) {
      assertLayerCount(parents.length + 1)
      failpoint('snapshots.commit')
      await pool.run<void>(ctx, { op: 'commit', unpacked, parents })
    },
    async sync() {
      await using directory = await open(layersDir)
      await syncfs(directory.fd)
    },
    async removeLayer(directory) {
      // This module's own are never layers.
      if (directory.startsWith('.')) return
      assertLayerName(directory)
      failpoint('snapshots.remove.rename')
      const trash = `${TRASH_PREFIX}${directory}`
      // Left by a removal that failed, and tried again with this one.
      await remove(join(layersDir, trash))
      if (await renameIfThere(join(layersDir, directory), join(layersDir, trash))) await remove(join(layersDir, trash))
    },
    removeTree: remove,
    measureTree: (ctx, path) => walk(ctx, { op: 'measure', path }),
    async seedVolume(ctx, input) {
      if ((await readdir(join(input.directory, VOLUME_DATA))).length > 0 || input.layers.length === 0) return
      const { bavail, bsize } = await statfs(input.directory)
      failpoint('snapshots.seed')
      await pool.run<void>(ctx, { op: 'seed', input: { ...input, maxBytes: bavail * bsize } })
    },
    settleVolume: (ctx, directory) => pool.run<void>(ctx, { op: 'settle', directory }),
    async prepare(containerDir, topLayer) {
      failpoint('snapshots.prepare')
      const upper = join(containerDir, 'upper')
      await mkdir(upper, { recursive: true, mode: 0o755 })
      if (topLayer !== undefined) {
        const { uid, gid, mode } = await stat(join(layersDir, topLayer))
        await chown(upper, uid, gid)
        await chmod(upper, mode & 0o7777)
      }
      await mkdir(join(containerDir, 'work'), { recursive: true, mode: 0o700 })
    },
    mount: (input) => mountOverlay({ ...input, layersDir }),
    isMounted: (target) => linux.isMountPoint(target),
    unmount(target) {
      // One at a time: what the first one writes back, the next need not, and file operations need threads too.
      const unmounted = unmounts.then(async () => void (await linux.unmountOffThread(target)))
      unmounts = unmounted.catch(() => {})
      return unmounted
    },
    archives,
    async [Symbol.asyncDispose]() {
      await Promise.all([pool[Symbol.asyncDispose](), archives[Symbol.asyncDispose]()])
    },
  }
}

async function removeLeftovers(layersDir: string, remove: (path: string) => Promise<void>): Promise<void> {
  for (const name of await readdir(layersDir)) {
    const path = join(layersDir, name)
    if (name.startsWith(VIEW_PREFIX)) {
      linux.unmount(path)
      await rmdir(path)
    } else if (name.startsWith(TRASH_PREFIX)) {
      // Not waited for; what fails is tried again by the next process.
      remove(path).catch(() => {})
    }
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

function assertLayerName(directory: string): void {
  if (/^[a-z0-9]+$/.test(directory)) return
  throw new StatusError('invalid_argument', `"${directory}" cannot name a layer's directory`)
}
