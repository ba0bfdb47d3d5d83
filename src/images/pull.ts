import { createHash } from 'node:crypto'
import type { Ctx } from '../lib/ctx.ts'
import type { Digest } from '../model/digest.ts'
import {
  completePlatform,
  formatImageReference,
  type ImageReference,
  parseImageReference,
  wireNames,
} from '../registry/index.ts'
import { ensureDocument } from './blobs.ts'
import { bringImage } from './bring-image.ts'
import { tryCollect } from './collect.ts'
import type { Deps } from './deps.ts'
import { intake } from './intake.ts'
import type { Operations } from './operations.ts'
import type { ProgressFeed } from './progress.ts'
import { PullRecord } from './pull-record.ts'
import { imageBlobs } from './references.ts'
import type { PullOptions } from './types.ts'

/** See `Images.pull`; it ends with its askers. @throws {StatusError} `invalid_argument` for a bad reference */
export function pull(
  daemon: Ctx,
  deps: Deps,
  operations: Operations,
  reference: string,
  options: PullOptions = {},
  asker?: AbortSignal,
): ProgressFeed {
  const ref = parseImageReference(reference)
  const name = formatImageReference(ref)
  const run = async (ctx: Ctx, feed: ProgressFeed) => {
    // The same name for another platform or with other credentials is other work, but it shares the record.
    using _lock = await deps.locks.hold(ctx, `pull ${name}`)
    await runPull(ctx, deps, ref, options, feed)
  }
  const counted = async (feed: ProgressFeed, ended: AbortSignal) => {
    deps.pulls.running += 1
    let result: 'succeeded' | 'failed' = 'failed'
    try {
      await run({ ...daemon, signal: AbortSignal.any([daemon.signal, ended]) }, feed)
      result = 'succeeded'
    } finally {
      deps.pulls.running -= 1
      deps.pulls[result] += 1
    }
  }
  return operations.start(sameWork(name, options), counted, () => tryCollect(daemon, deps), asker)
}

async function runPull(
  ctx: Ctx,
  deps: Deps,
  ref: ImageReference,
  { auth, platform: wanted }: PullOptions,
  feed: ProgressFeed,
): Promise<void> {
  const platform = completePlatform(wanted ?? {})
  const name = formatImageReference(ref)
  const withAuth = auth === undefined ? {} : { auth }
  const resolved = await deps.registry.resolve(ctx, ref, { ...withAuth, platform })
  const record = new PullRecord(deps, { name, platform, blobs: imageBlobs(resolved, true), action: 'pull' })
  const [image] = await intake(ctx, deps, record, async () => {
    for (const document of resolved.documents) await ensureDocument(ctx, deps, document)
    const brought = await bringImage(
      ctx,
      deps,
      record,
      { name, ...wireNames(ref), ...resolved },
      {
        fetch: (fetchCtx, descriptor, offset) =>
          deps.registry.fetchBlob(fetchCtx, ref, descriptor, { ...withAuth, offset }),
        feed,
        ...(wanted === undefined ? {} : { platform }),
      },
    )
    return [brought]
  })
  feed.publish({ type: 'done', image: image! })
}

/** Names the work without keeping credentials about. */
function sameWork(name: string, { auth, platform }: PullOptions): Digest {
  return createHash('sha256')
    .update(JSON.stringify([name, platform ?? null, auth ?? null]))
    .digest('hex') as Digest
}
