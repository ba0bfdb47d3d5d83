import type { StatusError } from '../../lib/errors.ts'
import { json, type Reply } from '../http/reply.ts'
import { httpStatus } from '../http/status.ts'
import type { Failure } from './types.ts'

/** The envelope of a failure. What is `internal` stays in the log: the client gets the id to look for there. */
export function failure({ code, message }: StatusError, requestId: string): Failure {
  const shown = code === 'internal' ? `Internal error; the daemon's log has it under request ${requestId}` : message
  return { status: 'fail', message: shown, code }
}

export function errorReply(error: StatusError, requestId: string): Reply {
  return json(httpStatus(error), failure(error, requestId))
}
