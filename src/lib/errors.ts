/** The canonical codes of gRPC, lower-case. The code is given once, where the fault is known. */
export type StatusCode =
  | 'not_found'
  | 'already_exists'
  | 'invalid_argument'
  | 'failed_precondition'
  | 'conflict'
  | 'permission_denied'
  | 'unauthenticated'
  | 'resource_exhausted'
  | 'unavailable'
  | 'unimplemented'
  | 'deadline_exceeded'
  | 'cancelled'
  | 'expired'
  | 'internal'

export interface StatusErrorOptions {
  readonly cause?: unknown
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The one error class of the project.
 *
 * The message is for a person: what failed, on what, why and, where that is not plain, what to do:
 * `Cannot start container "web": it is already running`. No full stop at the end.
 */
export class StatusError extends Error {
  readonly code: StatusCode
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: StatusCode, message: string, options: StatusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StatusError'
    this.code = code
    this.details = options.details
  }
}

/** Whether `error` is a StatusError of that code. */
export function hasCode(error: unknown, code: StatusCode): error is StatusError {
  return error instanceof StatusError && error.code === code
}

/** The `code` of a system error (`ENOENT` ...), whether it comes from node:fs or from `linux`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
