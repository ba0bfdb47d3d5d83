import { readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError, systemCode } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { forEachLimited } from '../lib/for-each-limited.ts'
import { containerState, isAlive } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import { tellEnd } from './cancel-restart.ts'
import type { Deps } from './deps.ts'
import { findContainer, findOwn } from './find.ts'
import { releasePorts } from './ports.ts'
import { removeBundle } from './remove-bundle.ts'
import { ownsSandbox } from './sandbox.ts'
import { tearDown } from './tear-down.ts'
import type { RemoveOptions } from './types.ts'
import { markVolumesOf, removeMarked } from './volumes.ts'

/** The user's delete. @throws {StatusError} `not_found`; `failed_precondition` if it runs and `force` is not set */
export async function removeByRef(
  ctx: Ctx,
  deps: Deps,
  ref: string,
  { force = false, volumes = false }: RemoveOptions,
): Promise<void> {
  const found = deps.store.read((tx) => findOwn(tx, ref, 'remove'))
  using _lock = await deps.locks.hold(ctx, found.metadata.uid)
  const { status } = deps.store.read((tx) => findContainer(tx, found.metadata.uid))
  if ((isAlive(status) || containerState(status) === 'restarting') && !force) {
    throw new StatusError(
      'failed_precondition',
      `Cannot remove container "${found.metadata.name}": it is ${containerState(status)}; stop it first, or remove it with force`,
    )
  }
  await removeContainer(ctx, deps, found.metadata.uid, { volumes })
  await deps.store.durable()
}

/**
 * Removes a container and all it owns. Serves the user's delete, the roll-back of a failed create, recovery and
 * auto-remove: also for a container half made, half removed or gone. The record goes last, so that what fails is
 * tried again; whether the volumes that were made for it go too is recorded with the first. The caller holds the
 * container's lock.
 */
export async function removeContainer(
  ctx: Ctx,
  deps: Deps,
  id: string,
  { volumes = false }: { volumes?: boolean } = {},
): Promise<void> {
  const { store, paths, snapshots } = deps
  const container = store.read((tx) => tx.getByUid('Container', id))
  if (container === undefined) return
  failpoint('remove.mark')
  const withVolumes = volumes || container.status.removingVolumes === true
  store.write((tx) =>
    tx.putStatus('Container', id, {
      removingAt: container.status.removingAt ?? Date.now(),
      ...(withVolumes && { removingVolumes: true }),
    }),
  )
  await tearDown(ctx, deps, container)
  failpoint('remove.files')
  await snapshots.unmount(paths.rootfs(id))
  removeBundle(deps, id)
  await removeFiles(deps, paths.container(id))
  failpoint('remove.record')
  store.write((tx) => {
    const { sandboxId } = container.spec
    if (withVolumes) markVolumesOf(tx, id)
    if (ownsSandbox(container, tx.getByUid('Sandbox', sandboxId))) {
      releasePorts(tx, sandboxId)
      for (const { metadata } of tx.list('AddressLease', { ownerUid: sandboxId }))
        tx.delete('AddressLease', metadata.uid)
      tx.delete('Sandbox', sandboxId)
    }
    tx.delete('Container', id)
    tx.event(containerEvent(container, 'remove'))
  })
  tellEnd(deps, container)
  if (withVolumes)
    await removeMarked(
      ctx,
      deps,
      container.spec.mounts.flatMap(({ volume }) => volume ?? []),
    )
}

/** A container may have nested directories deeper than a path can name; only then is a Worker worth its start. */
async function removeFiles({ snapshots }: Deps, directory: string): Promise<void> {
  try {
    // Side by side: each file takes two turns of a thread.
    const names = await readdir(directory)
    await forEachLimited(names.length, names, (name) => rm(join(directory, name), { recursive: true, force: true }))
    await rmdir(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    if (systemCode(error) !== 'ENAMETOOLONG') throw error
    await snapshots.removeTree(directory)
  }
}
