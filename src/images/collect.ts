import { type Ctx, detached } from '../lib/ctx.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { ChainId, Digest } from '../model/digest.ts'
import type { Layer } from '../model/image.ts'
import { blobLock, type Deps, layerLock } from './deps.ts'
import { pullClaim } from './pull-record.ts'
import { references } from './references.ts'

type Claimed = { has(name: string): boolean }

/**
 * Removes the layers, blobs and unfinished downloads that no Image, Container or Pull names and nobody in this process
 * holds a claim on. Safe beside pulls: what comes to be needed meanwhile is claimed before it is looked at, and
 * looked at only under the lock that its removal holds.
 *
 * @param staleAfterMs how long pulls that were broken off keep what they had
 * @returns the bytes of disk that were taken by what is gone
 */
export async function collect(
  ctx: Ctx,
  deps: Deps,
  { staleAfterMs = deps.policy.staleAfterMs }: { readonly staleAfterMs?: number } = {},
): Promise<number> {
  using _lock = await deps.locks.hold(ctx, 'collect')
  using claimed = deps.claims.watch()
  dropStalePulls(deps, Date.now() - staleAfterMs)
  let reclaimedBytes = 0
  const { needed, layers } = deps.store.read((tx) => ({
    needed: references(tx, deps.policy.keepLayerBlobs),
    layers: tx.list('Layer'),
  }))
  // That nothing refers to them must be on disk before anything is removed: a power cut must not bring back a
  // reference to half a layer.
  await deps.store.durable()
  for (const { spec, status } of layers.toReversed()) {
    if (claimed.has(spec.chainId) || (status.state === 'ready' && needed.chainIds.has(spec.chainId))) continue
    reclaimedBytes += await collectLayer(ctx, deps, spec.chainId, claimed)
  }
  const blobs = [...(await Array.fromAsync(deps.content.list())), ...(await deps.content.listIngests())]
  for (const digest of blobs) {
    if (claimed.has(digest) || needed.blobs.has(digest)) continue
    reclaimedBytes += await collectBlob(ctx, deps, digest, claimed)
  }
  return reclaimedBytes
}

/** The same after something else that has succeeded, or failed for a better reason: a failure is logged, and tried again next time. */
export async function tryCollect(ctx: Ctx, deps: Deps): Promise<void> {
  // At the end of the daemon there is no time for it; boot has.
  if (ctx.signal.aborted) return
  try {
    await collect(detached(ctx), deps)
  } catch (error) {
    ctx.log.warn('cannot remove layers and blobs that nothing needs', { error })
  }
}

/** Makes a layer unusable, removes its directory, then its record. The caller holds the layer's lock. Idempotent. */
export async function removeLayer({ store, snapshots, committed }: Deps, layer: Layer): Promise<void> {
  const { uid } = layer.metadata
  failpoint('layer.remove.record')
  store.write((tx) => tx.putStatus('Layer', uid, { state: 'unpacking' }))
  committed.delete(layer.spec.chainId)
  failpoint('layer.remove.directory')
  await snapshots.removeLayer(layer.spec.directory)
  store.write((tx) => tx.delete('Layer', uid))
}

async function collectLayer(ctx: Ctx, deps: Deps, chainId: ChainId, claimed: Claimed): Promise<number> {
  using _lock = await deps.locks.hold(ctx, layerLock(chainId))
  if (claimed.has(chainId)) return 0
  const layer = deps.store.read((tx) => tx.get('Layer', chainId))
  if (layer === undefined) return 0
  await removeLayer(deps, layer)
  return layer.status.usedBytes ?? 0
}

async function collectBlob(ctx: Ctx, { locks, content }: Deps, digest: Digest, claimed: Claimed): Promise<number> {
  using _lock = await locks.hold(ctx, blobLock(digest))
  if (claimed.has(digest)) return 0
  const bytes = ((await content.size(digest)) ?? 0) + (await content.ingestedBytes(digest))
  failpoint('blob.remove')
  await content.remove(digest)
  await content.removeIngest(digest)
  return bytes
}

/** Pulls that were broken off keep what they had for a while. */
function dropStalePulls({ store, claims }: Deps, oldest: number): void {
  store.write((tx) => {
    for (const { metadata } of tx.list('Pull')) {
      if (metadata.createdAt <= oldest && !claims.has(pullClaim(metadata.name))) tx.delete('Pull', metadata.uid)
    }
  })
}
