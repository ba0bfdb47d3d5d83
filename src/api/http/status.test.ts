import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../lib/errors.ts'
import { httpFault, httpStatus } from './status.ts'

test('httpStatus() gives each code its status', () => {
  const expected = {
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
  } as const
  for (const [code, status] of Object.entries(expected)) {
    assert.equal(httpStatus(new StatusError(code as keyof typeof expected, 'x')), status, code)
  }
})

test('httpStatus() keeps the status of an HTTP fault', () => {
  assert.equal(httpStatus(httpFault(413, 'too large')), 413)
})
