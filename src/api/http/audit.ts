import type { LogFields, Logger } from '../../lib/log.ts'

/** Who asked for what, and how it was answered. No bodies, no queries. */
interface AuditedRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly requestId: string
}

/** Whether a request belongs into the audit log: all that may change something, and all that was refused. */
export function isAudited(method: string, status: number): boolean {
  const mayChange = !['GET', 'HEAD', 'OPTIONS'].includes(method) || status === 101
  return mayChange || status === 401 || status === 403
}

/** A line of the audit log: the daemon's log with `"message":"audit"`. The other fields say who it was (`Caller.who`). */
export function audit(log: Logger, { path, ...fields }: AuditedRequest & LogFields): void {
  log.info('audit', { ...fields, path: path.slice(0, 500) })
}

/** Of a connection that got no further than its greeting. */
export function auditConnection(log: Logger, who: LogFields, refused: string): void {
  log.info('audit', { ...who, refused })
}
