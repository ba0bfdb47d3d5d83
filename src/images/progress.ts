import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import type { Digest } from '../model/digest.ts'
import type { Descriptor, Image } from '../model/image.ts'

/**
 * `exists`: nothing had to be done for this layer. `mounted`: of a push; the registry took it from another repository of
 * its own.
 */
export type LayerProgressStatus = 'waiting' | 'downloading' | 'unpacking' | 'uploading' | 'exists' | 'mounted' | 'done'

export interface LayerProgress {
  readonly type: 'layer'
  /** Of the compressed blob. */
  readonly digest: Digest
  readonly status: LayerProgressStatus
  /** Bytes of the compressed blob that the present status has behind it. */
  readonly currentBytes: number
  readonly totalBytes: number
}

export type PullProgress =
  | { readonly type: 'resolved'; readonly reference: string; readonly digest: Digest }
  | LayerProgress
  | { readonly type: 'done'; readonly image: Image }

/**
 * What a pull, load or push says, for any number of followers who come, lag and leave as they like.
 *
 * A follower is told the latest about each layer, not every step on the way there: what waits for a slow one is bounded
 * by the number of layers, and nobody waits for it.
 */
export class ProgressFeed {
  readonly #latest = new Map<string, PullProgress>()
  readonly #followers = new Set<{ readonly pending: Map<string, PullProgress>; wake: () => void }>()
  readonly #ended = Promise.withResolvers<void>()
  #outcome: { readonly error?: unknown } | undefined

  /** Nothing comes any more. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  publish(progress: PullProgress): void {
    put(this.#latest, progress)
    for (const follower of this.#followers) {
      put(follower.pending, progress)
      follower.wake()
    }
  }

  /** Nothing comes after this; with an error, followers get what is pending and then the error. */
  end(outcome: { readonly error?: unknown } = {}): void {
    this.#outcome ??= outcome
    this.#ended.resolve()
    for (const follower of this.#followers) follower.wake()
  }

  /** Late-comers start with the latest about everything. Leaving, or the end of `ctx`, ends only this iteration. */
  async *follow(ctx: Ctx): AsyncGenerator<PullProgress, void, undefined> {
    const follower = { pending: new Map(this.#latest), wake: () => {} }
    const onAbort = () => follower.wake()
    this.#followers.add(follower)
    ctx.signal.addEventListener('abort', onAbort)
    try {
      for (;;) {
        throwIfEnded(ctx)
        for (const [key, progress] of follower.pending) {
          follower.pending.delete(key)
          yield progress
          throwIfEnded(ctx)
        }
        if (this.#outcome !== undefined) break
        await new Promise<void>((resolve) => {
          follower.wake = resolve
        })
      }
      if ('error' in this.#outcome) throw this.#outcome.error
    } finally {
      ctx.signal.removeEventListener('abort', onAbort)
      this.#followers.delete(follower)
    }
  }
}

/** Reports on one layer; byte counts only when they have moved by a hundredth or 256 KiB, whichever is more. */
export function layerReport(feed: ProgressFeed, { digest, size }: Descriptor) {
  const step = Math.max(size / 100, 256 * 1024)
  let last: LayerProgress | undefined
  return (status: LayerProgressStatus, currentBytes: number): void => {
    if (last?.status === status && Math.abs(currentBytes - last.currentBytes) < step) return
    last = { type: 'layer', digest, status, currentBytes: Math.min(currentBytes, size), totalBytes: size }
    feed.publish(last)
  }
}

export type LayerReport = ReturnType<typeof layerReport>

/** The newest last, so that what happened first is told first. */
function put(map: Map<string, PullProgress>, progress: PullProgress): void {
  const key = keyOf(progress)
  map.delete(key)
  map.set(key, progress)
}

function keyOf(progress: PullProgress): string {
  switch (progress.type) {
    case 'resolved':
      return `resolved ${progress.reference}`
    case 'layer':
      return `layer ${progress.digest}`
    case 'done':
      return `done ${progress.image.metadata.name}`
  }
}
