import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { eventOf } from '../model/event.ts'
import { matchesLabels } from '../model/label-term.ts'
import { newId, validateName } from '../model/names.ts'
import type { Volume } from '../model/volume.ts'
import { VOLUME_DATA } from '../snapshots/index.ts'
import type { ReadTx, WriteTx } from '../store/index.ts'
import type { Deps } from './deps.ts'
import type { CreateVolume, VolumeFilter, VolumeView } from './volume-types.ts'

/** @throws {StatusError} `invalid_argument` for a name that none may have, `conflict` if it is being removed */
export async function createVolume(ctx: Ctx, deps: Deps, request: CreateVolume): Promise<VolumeView> {
  const { name = newId(), labels = {} } = request
  using _lock = await deps.locks.hold(ctx, volumeLock(name))
  failpoint('volume.create.record')
  deps.store.write((tx) => ensureVolumeRecord(tx, name, { labels, generated: request.name === undefined }))
  failpoint('volume.create.directory')
  await makeVolumeDirectory(deps, name)
  await deps.store.durable()
  return viewVolume(deps, name)
}

/**
 * The record of a volume, made if there is none.
 * @throws {StatusError} `invalid_argument` for a name that none may have, `conflict` if it is being removed
 */
export function ensureVolumeRecord(
  tx: WriteTx,
  name: string,
  { labels = {}, generated = false }: { labels?: Volume['metadata']['labels']; generated?: boolean } = {},
): Volume {
  const known = tx.get('Volume', name)
  if (known?.status.removingAt !== undefined) {
    throw new StatusError('conflict', `Cannot use volume "${name}": it is being removed`)
  }
  if (known !== undefined) return known
  if (!generated) validateName('volume', name)
  const owner = { frontEnd: 'raind', kind: 'Volume', uid: name } as const
  const spec = { driver: 'local', anonymous: generated } as const
  const volume = tx.create('Volume', { name, labels, owner, spec, status: {} })
  tx.event(eventOf('Volume', volume, 'create', { driver: 'local' }))
  return volume
}

/** Idempotent. Others than root must not get at what is set-uid in it: what is above it is closed to them. */
export async function makeVolumeDirectory({ paths }: Deps, name: string): Promise<void> {
  await mkdir(paths.volume(name), { recursive: true, mode: 0o700 })
  await mkdir(volumeData(paths, name), { recursive: true, mode: 0o755 })
}

/** Where the files of a volume are. */
export function volumeData(paths: Deps['paths'], name: string): string {
  return join(paths.volume(name), VOLUME_DATA)
}

export function volumeLock(name: string): string {
  return `volume/${name}`
}

export function listVolumes({ store, paths }: Deps, { names, labels = [], dangling }: VolumeFilter): VolumeView[] {
  return store.read((tx) => {
    const users = usersOfVolumes(tx)
    return tx
      .list('Volume')
      .filter(({ metadata }) => matchesLabels(metadata.labels, labels))
      .map((volume) => view(paths, volume, users))
      .filter(({ volume }) => names === undefined || names.some((name) => volume.metadata.name.includes(name)))
      .filter(({ containers }) => dangling === undefined || (containers.length === 0) === dangling)
  })
}

/** @throws {StatusError} `not_found` */
export function viewVolume({ store, paths }: Deps, name: string): VolumeView {
  return store.read((tx) => view(paths, findVolume(tx, name), usersOfVolumes(tx)))
}

function view(paths: Deps['paths'], volume: Volume, users: ReadonlyMap<string, readonly string[]>): VolumeView {
  const { name } = volume.metadata
  return { volume, mountPoint: volumeData(paths, name), containers: users.get(name) ?? [] }
}

function findVolume(tx: ReadTx, name: string): Volume {
  const found = tx.get('Volume', name)
  if (found === undefined) throw new StatusError('not_found', `No such volume: "${name.slice(0, 128)}"`)
  return found
}

/** Names of containers, by the name of the volume. */
function usersOfVolumes(tx: ReadTx): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, Set<string>>()
  for (const { metadata, spec } of tx.list('Container')) {
    for (const { volume } of spec.mounts) {
      if (volume !== undefined) users.set(volume, (users.get(volume) ?? new Set()).add(metadata.name))
    }
  }
  return new Map([...users].map(([volume, names]) => [volume, [...names]]))
}

/** @throws {StatusError} `not_found`; `conflict` while containers use it */
export async function removeVolume(ctx: Ctx, deps: Deps, name: string): Promise<void> {
  using _lock = await deps.locks.hold(ctx, volumeLock(name))
  failpoint('volume.remove.record')
  deps.store.write((tx) => {
    const { metadata } = findVolume(tx, name)
    assertUnused(name, usersOfVolumes(tx).get(name) ?? [])
    tx.putStatus('Volume', metadata.uid, { removingAt: Date.now() })
  })
  await takeVolumeAway(deps, name)
  await deps.store.durable()
}

/**
 * Removes a volume that is marked for it; idempotent. Serves the user's delete, that of a container with its volumes,
 * prune and recovery. The record goes last, so that what fails is tried again.
 */
async function takeVolumeAway({ store, snapshots, paths }: Deps, name: string): Promise<void> {
  failpoint('volume.remove.files')
  await snapshots.removeTree(paths.volume(name))
  failpoint('volume.remove.done')
  store.write((tx) => {
    const found = tx.get('Volume', name)
    if (found === undefined) return
    tx.delete('Volume', found.metadata.uid)
    tx.event(eventOf('Volume', found, 'remove', { driver: 'local' }))
  })
}

/** Within the transaction that deletes their container: marks the volumes that were made for it, and nothing else uses. */
export function markVolumesOf(tx: WriteTx, container: string): void {
  const mounts = tx.getByUid('Container', container)?.spec.mounts ?? []
  const elsewhere = new Set(
    tx
      .list('Container')
      .filter(({ metadata }) => metadata.uid !== container)
      .flatMap(({ spec }) => spec.mounts.map(({ volume }) => volume)),
  )
  for (const { volume, anonymous } of mounts) {
    if (volume === undefined || anonymous === undefined || elsewhere.has(volume)) continue
    const found = tx.get('Volume', volume)
    if (found !== undefined) tx.putStatus('Volume', found.metadata.uid, { removingAt: Date.now() })
  }
}

/** Finishes the removal of those of these volumes that are marked. */
export async function removeMarked(ctx: Ctx, deps: Deps, names: Iterable<string>): Promise<void> {
  for (const name of new Set(names)) {
    using _lock = await deps.locks.hold(ctx, volumeLock(name))
    const found = deps.store.read((tx) => tx.get('Volume', name))
    if (found?.status.removingAt !== undefined) await takeVolumeAway(deps, name)
  }
}

/** At boot: makes what a create was about to make, finishes what fills a volume or removes it. */
export async function recoverVolumes(ctx: Ctx, deps: Deps): Promise<void> {
  for (const { metadata, status } of deps.store.read((tx) => tx.list('Volume'))) {
    const { name } = metadata
    try {
      if (status.removingAt !== undefined) await removeMarked(ctx, deps, [name])
      else await settle(ctx, deps, name)
    } catch (error) {
      deps.log.error('recovery of a volume failed; it is tried again at the next start of the daemon', {
        volume: name,
        reason: messageOf(error),
      })
    }
  }
}

async function settle(ctx: Ctx, deps: Deps, name: string): Promise<void> {
  using _lock = await deps.locks.hold(ctx, volumeLock(name))
  await makeVolumeDirectory(deps, name)
  const found = await readdir(deps.paths.volume(name))
  if (found.length > 1) await deps.snapshots.settleVolume(ctx, deps.paths.volume(name))
}

function assertUnused(name: string, containers: readonly string[]): void {
  if (containers.length === 0) return
  const list = containers.slice(0, 5).map((container) => `"${container}"`)
  const more = containers.length > 5 ? ' and others use' : containers.length > 1 ? ' use' : ' uses'
  throw new StatusError('conflict', `Cannot remove volume "${name}": ${list.join(', ')}${more} it; remove them first`)
}
