import type { LogFields } from '../../lib/log.ts'

/** Who is at the other end of a connection. */
export interface Caller {
  /** As the audit log names them: `{ uid, pid }` of a unix socket, `{ spiffeId, address }` of TLS. */
  readonly who: LogFields
  /** Whether they may ask anything; who may not hears 403 to everything. */
  readonly admitted: boolean
}
