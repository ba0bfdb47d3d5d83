import type { Ctx } from '../lib/ctx.ts'
import type { Kind, Kinds } from '../model/kinds.ts'

/**
 * Makes the world what objects say it should be, for one root kind.
 *
 * `reconcile` gets a key and never what happened: it reads what it needs, compares, and does what is missing. It may
 * be called at any time, again after it failed, and again after a crash half way; it keeps nothing between calls. It
 * is never called twice at once for one key.
 */
export interface Controller {
  readonly name: string
  /** The keys to reconcile when an object of that kind exists, changes or goes. A key is the controller's own word, say a uid. */
  readonly triggers: Triggers
  /** A throw is logged, and the key tried again after a growing delay. */
  reconcile(ctx: Ctx, key: string): Promise<Requeue | undefined>
  /** How many keys are worked on at once; 1 if absent. */
  readonly concurrency?: number
  /** Everything is looked at again that often, for what the store cannot tell; absent: never. */
  readonly resyncMs?: number
}

export type Triggers = {
  readonly [K in Kind]?: (object: Kinds[K]) => string | readonly string[] | undefined
}

export interface Requeue {
  /** Look at this key again then, if nothing happens before. */
  readonly requeueAfterMs: number
}
