import type { Ctx } from '../lib/ctx.ts'
import type { Event, NewEvent } from '../model/event.ts'
import type { Kind, Kinds } from '../model/kinds.ts'
import type { Labels, ObjectMeta, Owner } from '../model/meta.ts'

export interface Store extends AsyncDisposable {
  /** The database was damaged or gone, and what is here now is from its second copy: the last changes may be missing. */
  readonly isRestored: boolean
  /** Runs `fn`, which is synchronous, on one consistent state. Inside a transaction it sees that transaction. */
  read<T>(fn: (tx: ReadTx) => T): T
  /**
   * Runs `fn` in one transaction and commits it: visible at once to every reader and watcher, and safe from a crash
   * of this process. `fn` is synchronous, so nothing it reads can change before it writes; a throw undoes all of it.
   * A write inside a read or a write is refused.
   */
  write<T>(fn: (tx: WriteTx) => T extends PromiseLike<unknown> ? never : T): T
  /**
   * As `write`, a few ms later and together with others: for events that nobody waits for. Every later write comes after
   * it, and who reads events after this call finds its own; it bears the time of this call.
   */
  writeSoon(fn: (tx: WriteTx) => void): void
  /**
   * Resolves when everything committed before this call also survives a loss of power. Await it before telling a
   * user that something is done. Calls made at the same time share one fdatasync.
   */
  durable(): Promise<void>
  /** What is wrong with the database file, in SQLite's words; nothing is changed, and the main thread goes on. */
  inspect(): Promise<readonly string[]>
  /**
   * Every change with a revision above `after` (absent: from now on), in order, none left out; ends with the context
   * or the store.
   * @throws {StatusError} `expired` if changes after `after` are no longer kept: list again, and watch from there
   */
  watch(ctx: Ctx, options?: WatchOptions): AsyncIterable<Change>
  /**
   * What happened, in order, from `after` or `sinceNs` (absent: from the oldest kept). With `follow` it goes on with
   * what comes, until the context or the store ends.
   * @throws {StatusError} `expired`, at once or when a reader falls behind, if events that it wants are no longer kept
   */
  events(ctx: Ctx, options?: EventOptions): AsyncIterable<Event>
}

/** Valid inside its `read` or `write` only. */
export interface ReadTx {
  /** The revision of the last change; what follows it is found by `watch(ctx, { after })`. 0: there never was one. */
  revision(): number
  get<K extends Kind>(kind: K, name: string, namespace?: string): Kinds[K] | undefined
  getByUid<K extends Kind>(kind: K, uid: string): Kinds[K] | undefined
  /** At most `limit` objects, in order of their uids. */
  findByUidPrefix<K extends Kind>(kind: K, prefix: string, limit: number): Kinds[K][]
  /** In order of creation. The objects of a list without a filter are frozen: later ones share them. */
  list<K extends Kind>(kind: K, filter?: ObjectFilter): Kinds[K][]
  count(kind: Kind, filter?: ObjectFilter): number
}

export interface WriteTx extends ReadTx {
  /**
   * Sets `createdAt`, `generation` and `resourceVersion`, and a random `uid` if none is given.
   * @throws {StatusError} `already_exists` if the name is taken in its namespace, or the uid, or the first 12 digits
   *   of a container's uid
   */
  create<K extends Kind>(kind: K, draft: Draft<K>): Kinds[K]
  /**
   * Replaces the whole object; the name may change. Namespace, uid, owner and `createdAt` stay what they were, `generation` counts
   * changes of the spec, and what changes nothing is not written.
   * @throws {StatusError} `not_found`, `conflict` unless `metadata.resourceVersion` is the current one,
   *   `already_exists` if the new name is taken
   */
  put<K extends Kind>(kind: K, object: Kinds[K]): Kinds[K]
  /** Sets these fields of the status as it is now; `undefined` removes one. @throws {StatusError} `not_found` */
  putStatus<K extends Kind>(kind: K, uid: string, patch: Partial<Kinds[K]['status']>): Kinds[K]
  /** False if it was gone already. */
  delete(kind: Kind, uid: string): boolean
  /** Becomes known together with what this transaction writes. */
  event(event: NewEvent): void
}

export interface Draft<K extends Kind> {
  readonly namespace?: string
  readonly name: string
  readonly uid?: string
  readonly labels?: Labels
  readonly annotations?: Labels
  readonly owner?: Owner
  readonly ownerReferences?: ObjectMeta['ownerReferences']
  readonly finalizers?: ObjectMeta['finalizers']
  readonly managedFields?: ObjectMeta['managedFields']
  readonly spec: Kinds[K]['spec']
  readonly status: Kinds[K]['status']
}

/** What is given must hold, all of it. */
export interface ObjectFilter {
  readonly namespace?: string
  readonly namePrefix?: string
  readonly ownerUid?: string
  readonly labels?: Labels
}

/** `object`, which may be frozen, is what it became; for `deleted` what it was last, with the revision of its deletion. */
export type Change = {
  readonly [K in Kind]: {
    readonly revision: number
    readonly kind: K
    readonly action: 'created' | 'updated' | 'deleted'
    readonly object: Kinds[K]
  }
}[Kind]

export interface WatchOptions {
  readonly kinds?: readonly Kind[]
  readonly after?: number
}

export interface EventOptions {
  readonly kinds?: readonly string[]
  /** An event's `sequence`; `last`: what comes after this call. */
  readonly after?: number | 'last'
  /** Instead: ns since the epoch, of the first event that is wanted. */
  readonly sinceNs?: bigint
  /** Goes on with what comes; with a signal: until that ends, and with all that has come by then. */
  readonly follow?: boolean | AbortSignal
}

/** How many of the latest rows are kept at least; at most 255 more are. */
export interface Retention {
  readonly changes: number
  readonly events: number
  /** Events that are older go nevertheless, some hundred at a time as new ones come; absent: they do not. */
  readonly eventsMaxAgeMs?: number
}
