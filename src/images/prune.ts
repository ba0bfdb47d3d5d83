import type { Ctx } from '../lib/ctx.ts'
import { failpoint } from '../lib/failpoint.ts'
import { collect } from './collect.ts'
import type { Deps } from './deps.ts'

export interface PruneOptions {
  /** Also every image that no container uses. */
  readonly all?: boolean
}

export interface Pruned {
  /** The names that are gone. */
  readonly removed: readonly string[]
  /** On disk: of layers what they took unpacked, of blobs their size. */
  readonly reclaimedBytes: number
}

/**
 * Removes what is kept for no image: what pulls that were broken off have left for their next try, and whatever else
 * nothing refers to. An image whose name has moved on is not waiting for this: it goes at once, unless a container uses it.
 */
export async function pruneImages(ctx: Ctx, deps: Deps, { all = false }: PruneOptions = {}): Promise<Pruned> {
  const removed = all ? removeUnused(deps) : []
  if (removed.length > 0) await deps.store.durable()
  return { removed, reclaimedBytes: await collect(ctx, deps, { staleAfterMs: 0 }) }
}

/** An image in use keeps all of its names. */
function removeUnused({ store }: Deps): string[] {
  failpoint('image.prune.record')
  return store.write((tx) => {
    const used = new Set(tx.list('Container').map(({ spec }) => spec.imageId))
    const unused = tx.list('Image').filter(({ spec }) => !used.has(spec.config.digest))
    for (const { metadata, spec } of unused) {
      const { uid, name } = metadata
      tx.delete('Image', uid)
      tx.event({ kind: 'Image', action: 'remove', uid, name, attributes: { imageId: spec.config.digest } })
    }
    return unused.map(({ metadata }) => metadata.name)
  })
}
