import { array, integer, object, optional, type Static, string } from '../../lib/schema.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import type { HealthcheckOptions } from '../../model/healthcheck.ts'
import { parseDuration } from '../../model/moment.ts'

/** How long: `30s`, `1m30s`, `500ms`; empty or `0s`: the image's, then docker's default. */
const duration = string({ maxLength: 64 })

/** In docker's words. */
export const healthcheckBody = object({
  /** `["CMD", "program", ...]`, `["CMD-SHELL", "script"]`, `["NONE"]`; absent: the image's. */
  test: optional(array(string({ maxLength: 131_072 }), { maxItems: 4096 })),
  interval: optional(duration),
  timeout: optional(duration),
  startPeriod: optional(duration),
  startInterval: optional(duration),
  retries: optional(integer({ minimum: 0, maximum: 1_000_000 })),
})

/** @throws {StatusError} `invalid_argument` */
export function toHealthcheck({
  test,
  interval,
  timeout,
  startPeriod,
  startInterval,
  retries,
}: Static<typeof healthcheckBody>): HealthcheckOptions {
  return withoutUndefined({
    test,
    intervalMs: toMs('interval', interval),
    timeoutMs: toMs('timeout', timeout),
    startPeriodMs: toMs('startPeriod', startPeriod),
    startIntervalMs: toMs('startInterval', startInterval),
    retries: retries || undefined,
  })
}

/** The longest that a timer takes; some 24 days. */
const MAX_MS = 2 ** 31 - 1

function toMs(what: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const ms = parseDuration(`${what} of the health check`, text)
  return ms === 0 ? undefined : Math.min(Math.max(1, Math.round(ms)), MAX_MS)
}
