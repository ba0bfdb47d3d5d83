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

/** The `code` of a system error (`ENOENT` ...), whether it comes from node:fs, from `linux`, or from a Worker's start. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return undefined
  if (error.code !== 'ERR_WORKER_INIT_FAILED') return error.code
  return /\bE[A-Z]+$/.exec(error.message)?.[0] ?? error.code
}

/** What there is no more of, by the code of a system error. */
const EXHAUSTED: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full, or has no inode left',
  EDQUOT: 'the quota of the disk is used up',
  EMFILE: 'the daemon has as many files open as it may',
  ENFILE: 'this host has as many files open as it can',
  ENOMEM: 'there is no memory left',
  EAGAIN: 'no more processes can be started',
}

/**
 * Whatever was thrown as a StatusError: what the machine has run out of is `resource_exhausted`, anything else that is
 * none is `internal`.
 */
export function toStatusError(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) return thrown
  const exhausted = EXHAUSTED[systemCode(thrown) ?? '']
  if (exhausted === undefined) return new StatusError('internal', messageOf(thrown), { cause: thrown })
  return new StatusError('resource_exhausted', `${exhausted} (${messageOf(thrown)})`, { cause: thrown })
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
