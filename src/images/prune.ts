import type { Ctx } from '../lib/ctx.ts'
import { failpoint } from '../lib/failpoint.ts'
import { pruneEvent } from '../model/event.ts'
import { matchesPrune, type Pruned, type PruneFilter } from '../model/prune.ts'
import { collect } from './collect.ts'
import type { Deps } from './deps.ts'
import { forgetImage } from './forget-image.ts'
import { usedImageIds } from './references.ts'

export interface PruneOptions extends PruneFilter {
  /** Also the images that have a name. */
  readonly all?: boolean
}

/**
 * Removes images that no container uses: those whose tag has moved on, or all. With them goes what nothing refers to,
 * also what pulls that were broken off have left for their next try.
 */
export async function pruneImages(ctx: Ctx, deps: Deps, options: PruneOptions = {}): Promise<Pruned> {
  const removed = removeUnused(deps, options)
  if (removed.length > 0) await deps.store.durable()
  const pruned = { removed, reclaimedBytes: await collect(ctx, deps, { staleAfterMs: 0 }) }
  deps.store.write((tx) => tx.event(pruneEvent('Image', pruned)))
  return pruned
}

/** An image in use keeps all of its names. */
function removeUnused({ store }: Deps, { all = false, ...filter }: PruneOptions): string[] {
  failpoint('image.prune.record')
  return store.write((tx) => {
    const used = usedImageIds(tx)
    const unused = tx
      .list('Image')
      .filter(({ spec }) => (all || spec.untagged) && !used.has(spec.config.digest))
      .filter(({ metadata, spec }) =>
        matchesPrune({ labels: spec.imageConfig.labels, createdAt: metadata.createdAt }, filter),
      )
    for (const image of unused) forgetImage(tx, image)
    return unused.map(({ metadata }) => metadata.name)
  })
}
