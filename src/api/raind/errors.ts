import type { StatusError } from '../../lib/errors.ts'
import type { DocumentFailure } from '../../resources/index.ts'
import { json, type Reply } from '../http/reply.ts'
import { httpStatus } from '../http/status.ts'
import type { Failure } from './types.ts'

/** The envelope of a failure. What is `internal` stays in the log: the client gets the id to look for there. */
export function failure({ code, message, details }: StatusError, requestId: string): Failure {
  const shown = code === 'internal' ? `Internal error; the daemon's log has it under request ${requestId}` : message
  const results = details?.['documents'] as readonly DocumentFailure[] | undefined
  return { status: 'fail', message: shown, code, ...(results !== undefined && { data: { results } }) }
}

export function errorReply(error: StatusError, requestId: string): Reply {
  return json(httpStatus(error), failure(error, requestId))
}
