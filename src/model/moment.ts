import { StatusError } from '../lib/errors.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const DURATION = /^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|[smhd]))+$/
const SECONDS = /^\d{1,12}(?:\.\d{1,9})?$/
const DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/

/**
 * A moment as docker's filters take it, in ms since the epoch: how long ago (`90s`, `1h30m`), a date or a time (RFC 3339,
 * in the host's zone unless it names one), or seconds since the epoch.
 *
 * `what` names the thing in the message. @throws {StatusError} `invalid_argument`
 */
export function parseMoment(what: string, text: string, now = Date.now()): number {
  const ms = DURATION.test(text) ? now - durationMs(text) : SECONDS.test(text) ? Number(text) * 1000 : dateMs(text)
  if (Number.isFinite(ms)) return ms
  throw new StatusError(
    'invalid_argument',
    `Invalid ${what} "${text.slice(0, 40)}": want how long ago, as in 24h or 1h30m, or a time, as in 2026-01-31T12:00:00Z`,
  )
}

/** How long, in ms: `90s`, `1h30m`, `500ms`. @throws {StatusError} `invalid_argument` */
export function parseDuration(what: string, text: string): number {
  if (DURATION.test(text)) return durationMs(text)
  throw new StatusError('invalid_argument', `Invalid ${what} "${text.slice(0, 40)}": want how long, as in 30s or 1m30s`)
}

function durationMs(text: string): number {
  const parts = [...text.matchAll(/([\d.]+)(ms|[smhd])/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit!]!, 0)
}

/** A date alone means UTC to JavaScript, and the host's midnight to people. */
function dateMs(text: string): number {
  if (!DATE.test(text)) return Number.NaN
  return Date.parse(text.includes('T') ? text : `${text}T00:00`)
}
