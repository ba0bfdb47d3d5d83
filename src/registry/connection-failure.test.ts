import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../lib/errors.ts'
import { BusyError, connectionFailure, isTransient, TimeoutError } from './connection-failure.ts'
import { parseRetryAfter } from './retry.ts'

const systemError = (code: string) => Object.assign(new Error(`connect ${code}`), { code })

test('a failed connection says what it means and what to do', () => {
  const rows: readonly [error: Error, code: string, message: RegExp, transient: boolean][] = [
    [systemError('ENOTFOUND'), 'unavailable', /there is no such host/, false],
    [systemError('EAI_AGAIN'), 'unavailable', /DNS does not answer/, true],
    [systemError('ECONNREFUSED'), 'unavailable', /is it running/, false],
    [systemError('ENETUNREACH'), 'unavailable', /no route/, false],
    [systemError('ECONNRESET'), 'unavailable', /connect ECONNRESET/, true],
    [new TimeoutError(10_000), 'unavailable', /no answer within 10 s/, true],
    [systemError('SELF_SIGNED_CERT_IN_CHAIN'), 'failed_precondition', /"caFile"/, false],
    [systemError('CERT_HAS_EXPIRED'), 'failed_precondition', /not valid/, false],
    [systemError('EPROTO'), 'failed_precondition', /"insecure: true"/, false],
    [new BusyError(429, 90_000), 'resource_exhausted', /try again in 90 s/, true],
    [new BusyError(502, undefined), 'unavailable', /status 502\): try again later/, true],
    [new Error('odd'), 'unavailable', /odd/, false],
  ]
  for (const [error, code, message, transient] of rows) {
    const failure = connectionFailure('r.example', error)
    assert.equal(failure.code, code)
    assert.match(failure.message, message)
    assert.match(failure.message, /r\.example/)
    assert.equal(isTransient(error), transient)
  }
  const own = new StatusError('not_found', 'x')
  assert.equal(connectionFailure('r.example', own), own)
})

test('Retry-After is seconds or a date', () => {
  assert.equal(parseRetryAfter('120'), 120_000)
  assert.equal(parseRetryAfter('Wed, 21 Oct 2015 07:28:00 GMT'), 0)
  assert.ok(parseRetryAfter(new Date(Date.now() + 60_000).toUTCString())! > 50_000)
  assert.equal(parseRetryAfter('soon'), undefined)
  assert.equal(parseRetryAfter(undefined), undefined)
})
