import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { plainArchive } from '../lib/plain-archive.ts'
import { type Container, containerState, isAlive } from '../model/container.ts'
import { openProcessRoot } from '../runtime/index.ts'
import type { PathStat } from '../snapshots/index.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'
import { awaitVolumes } from './prepare-volumes.ts'
import { tearDown } from './tear-down.ts'

/**
 * The files of a container, whether it runs or not, with its volumes and mounts. Paths are its own; how they are resolved and why
 * nothing in it can lead out is in docs/adr/0010. An archive that is read or written to a running container holds up
 * nothing; one that is written to a container that does not run keeps it from being started or removed meanwhile.
 */
export interface ContainerFiles {
  /** @throws {StatusError} `not_found`, `invalid_argument` */
  stat(ctx: Ctx, ref: string, path: string, follow: boolean): Promise<PathStat>
  /** What is at a path, as a tar whose entries begin with its last name. @throws {StatusError} `not_found`, `invalid_argument` */
  read(ctx: Ctx, ref: string, path: string, follow: boolean): AsyncIterable<Uint8Array>
  /** Extracts a tar, plain or compressed with gzip or zstd, into a directory; owners are what it says. */
  write(ctx: Ctx, ref: string, request: WriteFiles, tar: AsyncIterable<Uint8Array>): Promise<void>
  /** The whole root filesystem as a tar, without what is mounted into it. */
  export(ctx: Ctx, ref: string): AsyncIterable<Uint8Array>
}

export interface WriteFiles {
  readonly path: string
  /** A directory is not replaced by something else, nor something else by a directory. */
  readonly keepKind: boolean
}

export function containerFiles(deps: Deps): ContainerFiles {
  const { archives } = deps.snapshots
  return {
    async stat(ctx, ref, path, follow) {
      await using root = await openRoot(ctx, deps, ref, 'read')
      return await archives.stat(ctx, root.fd, path, follow)
    },
    async *read(ctx, ref, path, follow) {
      await using root = await openRoot(ctx, deps, ref, 'read')
      yield* archives.read(ctx, root.fd, { path, follow })
    },
    async write(ctx, ref, request, tar) {
      await using root = await openRoot(ctx, deps, ref, 'write')
      await archives.write(ctx, root.fd, request, plainArchive(tar))
    },
    async *export(ctx, ref) {
      await using root = await openRoot(ctx, deps, ref, 'bare')
      yield* archives.read(ctx, root.fd, { path: '/', follow: true, bare: true })
    },
  }
}

interface OpenRoot extends AsyncDisposable {
  readonly fd: number
}

/** `bare`: without mounts, and to be read. */
type Purpose = 'read' | 'write' | 'bare'

/** @throws {StatusError} `not_found`, `failed_precondition` if it is half made or half removed */
async function openRoot(ctx: Ctx, deps: Deps, ref: string, purpose: Purpose): Promise<OpenRoot> {
  const id = deps.store.read((tx) => findContainer(tx, ref)).metadata.uid
  await using opening = new AsyncDisposableStack()
  opening.use(await deps.locks.hold(ctx, id))
  const container = deps.store.read((tx) => findContainer(tx, id))
  assertWhole(container)
  const alive = isAlive(container.status)
  const fd = alive ? openRunning(deps, container, purpose) : await openStopped(ctx, deps, container, purpose)
  // Two overlays must not write to one upper directory: the lock keeps a start away.
  const lock = !alive && purpose === 'write' ? opening.move() : undefined
  return {
    fd,
    async [Symbol.asyncDispose]() {
      deps.snapshots.archives.closeRoot(fd)
      await lock?.disposeAsync()
    },
  }
}

function openRunning({ paths, snapshots }: Deps, { metadata, status }: Container, purpose: Purpose): number {
  if (purpose === 'bare') return snapshots.archives.openRoot(paths.rootfs(metadata.uid))
  const root = openProcessRoot(status.pid!, status.pidStartTime!)
  if (root !== undefined) return root
  throw new StatusError('unavailable', `The container "${metadata.name}" is ending just now; ask again`)
}

async function openStopped(ctx: Ctx, deps: Deps, container: Container, purpose: Purpose): Promise<number> {
  const { images, snapshots, paths } = deps
  const { metadata, spec } = container
  // What an end of the daemon has left mounted.
  await tearDown(ctx, deps, container)
  await awaitVolumes(ctx, deps, container)
  return await snapshots.archives.openView(ctx, {
    layers: images.layerDirectories(spec.chainIds),
    upper: paths.upper(metadata.uid),
    work: paths.work(metadata.uid),
    mounts: purpose === 'bare' ? [] : spec.mounts,
    writable: purpose === 'write',
    readOnlyRoot: spec.readOnlyRootfs,
  })
}

function assertWhole({ metadata, status }: Container): void {
  const state = containerState(status)
  if (state !== 'creating' && state !== 'removing') return
  const what = state === 'creating' ? 'still being made' : 'being removed'
  throw new StatusError('failed_precondition', `Cannot copy files of container "${metadata.name}": it is ${what}`)
}
