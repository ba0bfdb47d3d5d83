import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { namesIn } from '../lib/names-in.ts'
import { mountMemory, mountsBelow } from '../snapshots/index.ts'
import type { Deps, Paths } from './deps.ts'
import { type VolumeFile, writeVolumeFiles } from './pod-volumes-files.ts'
import { ensureHostPath, type HostPathType } from './pod-volumes-host-path.ts'

/** A volume of a pod; its name is a DNS label. */
export type PodVolume = { readonly name: string } & (
  | {
      readonly kind: 'empty'
      /** In memory, not on the disk. */
      readonly inMemory: boolean
      /** Of one in memory. */
      readonly sizeBytes?: number
      /** The group that it belongs to. */
      readonly gid?: number
    }
  | {
      readonly kind: 'files'
      readonly files: readonly VolumeFile[]
      readonly inMemory: boolean
      readonly gid?: number
    }
  | { readonly kind: 'host'; readonly path: string; readonly type: HostPathType }
)

type OwnVolume = Exclude<PodVolume, { kind: 'host' }>

const SET_GROUP_ID = 0o2000

/**
 * Makes the volumes of a pod what they are to be: for a new pod, again after a reboot, when those in memory have gone, and
 * whenever the files of a ConfigMap or Secret change. What containers have written stays. The pod's record owns them.
 *
 * @throws {StatusError} with `details.reason` FailedMount
 */
export async function preparePodVolumes(
  ctx: Ctx,
  { locks, paths }: Pick<Deps, 'locks' | 'paths'>,
  podUid: string,
  volumes: readonly PodVolume[],
): Promise<void> {
  using _lock = await holdPod(ctx, locks, podUid)
  for (const volume of volumes) {
    try {
      if (volume.kind === 'host') await ensureHostPath(volume.path, volume.type)
      else await prepareOwn(paths, podUid, volume)
    } catch (error) {
      throw new StatusError(
        'failed_precondition',
        `MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(error)}`,
        { cause: error, details: { reason: 'FailedMount' } },
      )
    }
  }
}

async function prepareOwn(paths: Paths, podUid: string, volume: OwnVolume): Promise<void> {
  assertPathName(volume.name)
  const { kind, inMemory, gid } = volume
  const directory = paths.podVolume(podUid, volume.name)
  const mode = (kind === 'empty' ? 0o777 : 0o755) | (gid === undefined ? 0 : SET_GROUP_ID)
  failpoint('pod-volumes.directory')
  // Others than root must not get at what is set-uid in it: what is above it is closed to them.
  await mkdir(paths.pod(podUid), { recursive: true, mode: 0o700 })
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 })
  await makeDirectory(directory, mode, gid)
  failpoint('pod-volumes.memory')
  const sizeBytes = kind === 'empty' ? volume.sizeBytes : undefined
  if (inMemory) {
    mountMemory(directory, { mode, ...(gid !== undefined && { gid }), ...(sizeBytes !== undefined && { sizeBytes }) })
  }
  if (kind === 'files') await writeVolumeFiles(directory, volume.files, gid)
}

/** With its mode and group from the first moment on; one that is there keeps what containers have made of it. */
async function makeDirectory(directory: string, mode: number, gid: number | undefined): Promise<void> {
  if (existsSync(directory)) return
  const draft = join(dirname(directory), `.${basename(directory)}`)
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft)
  if (gid !== undefined) await chown(draft, process.getuid!(), gid)
  await chmod(draft, mode)
  await rename(draft, directory)
}

/** Unmounts and removes all that a pod has in volumes of its own. Idempotent; its containers are gone. */
export async function removePodVolumes(
  ctx: Ctx,
  { locks, paths, snapshots }: Pick<Deps, 'locks' | 'paths' | 'snapshots'>,
  podUid: string,
): Promise<void> {
  using _lock = await holdPod(ctx, locks, podUid)
  const directories = [paths.podMounts(podUid), paths.pod(podUid)]
  if (!directories.some(existsSync)) return
  failpoint('pod-volumes.unmount')
  for (const target of mountsBelow(...directories)) await snapshots.unmount(target)
  failpoint('pod-volumes.remove')
  // It stops at what is mounted: files of the host that were are never removed.
  for (const directory of directories) await snapshots.removeTree(directory)
}

/** The uids of the pods that have something on disk or mounted. */
export async function podsWithVolumes({ podsDir, podMountsDir }: Paths): Promise<string[]> {
  const found = await Promise.all([podsDir, podMountsDir].map(namesIn))
  return [...new Set(found.flat())]
}

/** The lock on a pod's volumes. */
export async function holdPod(ctx: Ctx, locks: Deps['locks'], podUid: string): Promise<Disposable> {
  assertPathName(podUid)
  return await locks.hold(ctx, `pod-volumes/${podUid}`)
}

/** What becomes a name in a path must not lead elsewhere. @throws {StatusError} `invalid_argument` */
export function assertPathName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9.-]*$/.test(name)) return
  throw new StatusError(
    'invalid_argument',
    `${JSON.stringify(name.slice(0, 100))} cannot name a pod, a volume or a container`,
  )
}
