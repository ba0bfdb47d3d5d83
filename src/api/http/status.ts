import { type StatusCode, StatusError } from '../../lib/errors.ts'

/** As google.rpc.Code maps to HTTP, with the codes of RFC 9110 where they say more. */
const HTTP_STATUS: Readonly<Record<StatusCode, number>> = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  failed_precondition: 409,
  expired: 410,
  cancelled: 499,
  internal: 500,
  unimplemented: 501,
  unavailable: 503,
  deadline_exceeded: 504,
  resource_exhausted: 507,
}

export function httpStatus(error: StatusError): number {
  const own = error.details?.['httpStatus']
  return typeof own === 'number' ? own : HTTP_STATUS[error.code]
}

/** A fault of the HTTP exchange itself, which has a status of its own (405, 413 ...). */
export function httpFault(status: number, message: string): StatusError {
  return new StatusError('invalid_argument', message, { details: { httpStatus: status } })
}
