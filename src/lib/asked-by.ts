import { AsyncLocalStorage } from 'node:async_hooks'
import type { LogFields } from './log.ts'

const asker = new AsyncLocalStorage<LogFields | undefined>()

/**
 * Runs `fn` on behalf of somebody, as the audit log names them: `{ uid, pid }` of a unix socket, `{ spiffeId, address }`
 * of TLS. It travels with every call and promise that `fn` begins, and is told with events. Nothing is decided by it.
 */
export function onBehalfOf<T>(who: LogFields, fn: () => T): T {
  return asker.run(who, fn)
}

/** For what happens by itself, though somebody's request has begun it: the end of a process. */
export function onNobodysBehalf<T>(fn: () => T): T {
  return asker.run(undefined, fn)
}

/** Who asked for what is being done; undefined where nobody did. */
export function askedBy(): LogFields | undefined {
  return asker.getStore()
}
