import { messageOf, StatusError, systemCode } from '../lib/errors.ts'

/** A server that did not answer in time. */
export class TimeoutError extends Error {
  readonly code = 'ETIMEDOUT'

  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`)
  }
}

const TRANSIENT = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ERR_STREAM_PREMATURE_CLOSE'])
const UNREACHABLE = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'])
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
])
const INVALID_CERTIFICATE = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
])

/** A server that said, by 429 or 5xx, that it cannot answer now. */
export class BusyError extends Error {
  readonly status: number
  /** What it asks to wait, if it does. */
  readonly pauseMs: number | undefined

  constructor(status: number, pauseMs: number | undefined) {
    super(`answered with status ${status}`)
    this.status = status
    this.pauseMs = pauseMs
  }
}

/** Whether the same request may well succeed a little later. */
export function isTransient(error: unknown): boolean {
  return error instanceof BusyError || TRANSIENT.has(systemCode(error) ?? '')
}

/** Whether TLS could not be spoken, as opposed to: was spoken and failed. */
export function speaksNoTls(error: unknown): boolean {
  const code = systemCode(error) ?? ''
  return code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
}

/** Whether the server was there but its certificate was not accepted. */
export function isCertificateProblem(error: unknown): boolean {
  const code = systemCode(error) ?? ''
  return UNTRUSTED.has(code) || INVALID_CERTIFICATE.has(code)
}

/** What a failed connection means, and what to do about it. */
export function connectionFailure(host: string, cause: unknown): StatusError {
  if (cause instanceof StatusError) return cause
  if (cause instanceof BusyError) return busy(host, cause)
  const code = systemCode(cause) ?? ''
  const unavailable = (message: string) => new StatusError('unavailable', message, { cause })
  const misconfigured = (message: string) => new StatusError('failed_precondition', message, { cause })
  if (code === 'ENOTFOUND') {
    return unavailable(`Cannot find registry ${host}: there is no such host; check its spelling and the machine's DNS`)
  }
  if (code === 'EAI_AGAIN') return unavailable(`Cannot look up registry ${host}: DNS does not answer`)
  if (code === 'ECONNREFUSED') {
    return unavailable(`Cannot reach registry ${host}: it refuses connections; is it running, and is the port right?`)
  }
  if (UNREACHABLE.has(code)) return unavailable(`Cannot reach registry ${host}: there is no route to it`)
  if (code === 'ETIMEDOUT') return unavailable(`Registry ${host} does not answer: ${messageOf(cause)}`)
  if (UNTRUSTED.has(code)) {
    return misconfigured(
      `The certificate of registry ${host} is not signed by an authority that is trusted here: name the authority's PEM file as "caFile" of this registry in the configuration`,
    )
  }
  if (INVALID_CERTIFICATE.has(code)) {
    return misconfigured(`The certificate of registry ${host} is not valid: ${messageOf(cause)}`)
  }
  if (speaksNoTls(cause)) {
    return misconfigured(
      `Registry ${host} does not speak TLS: if plain http is meant, set "insecure: true" for this registry in the configuration`,
    )
  }
  return unavailable(`The connection to registry ${host} failed: ${messageOf(cause)}`)
}

function busy(host: string, { status, pauseMs }: BusyError): StatusError {
  const later = pauseMs === undefined ? 'try again later' : `try again in ${Math.ceil(pauseMs / 1000)} s`
  if (status === 429) {
    return new StatusError('resource_exhausted', `Registry ${host} got too many requests from here: ${later}`)
  }
  return new StatusError('unavailable', `Registry ${host} is out of order (status ${status}): ${later}`)
}
