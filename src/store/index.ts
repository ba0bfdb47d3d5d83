/**
 * The objects of this host and what happened to them, in one SQLite file.
 *
 * Guarantees: a write is one transaction, seen whole or not at all, and numbered by revisions without gaps. What is
 * committed survives a crash of the daemon; what `durable()` was awaited for survives a loss of power. A watcher is
 * told every change, in order, or that it came too late. No call waits for a disk on the calling thread.
 */
export { openStore, type StoreOptions } from './store.ts'
export type {
  Change,
  Draft,
  EventOptions,
  ObjectFilter,
  ReadTx,
  Retention,
  Store,
  WatchOptions,
  WriteTx,
} from './types.ts'
