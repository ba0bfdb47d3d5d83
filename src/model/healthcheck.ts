import { StatusError } from '../lib/errors.ts'

/** How a container is asked whether it is well; what is absent is the image's, then docker's default. Times are ms. */
export interface HealthcheckOptions {
  /** `['CMD', program, ...]`, `['CMD-SHELL', script]`, `['NONE']`; empty counts as absent. */
  readonly test?: readonly string[]
  readonly intervalMs?: number
  readonly timeoutMs?: number
  readonly retries?: number
  /** So long after the start failures do not count ... */
  readonly startPeriodMs?: number
  /** ... and this is the interval, until the first success. */
  readonly startIntervalMs?: number
}

export type Healthcheck = Required<HealthcheckOptions>

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy'

/** The state is stored, with the time of its last change in ms; single results are not. */
export interface Health {
  readonly status: HealthStatus
  readonly changedAt: number
}

/** moby, daemon/health.go */
const DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0, startIntervalMs: 5_000 }
const SHELL = ['/bin/sh', '-c']

/** What was asked for, over what the image says; undefined if there is nothing to run. @throws {StatusError} `invalid_argument` */
export function planHealthcheck(
  asked: HealthcheckOptions | undefined,
  ofImage: HealthcheckOptions | undefined,
): Healthcheck | undefined {
  const { test: own = [], ...times } = asked ?? {}
  const test = own.length > 0 ? own : (ofImage?.test ?? [])
  validateTest(test, own.length === 0 && Object.keys(times).length > 0)
  if (test.length === 0 || test[0] === 'NONE') return undefined
  // As docker: a test of one's own takes the image's times for what is not given.
  return { ...DEFAULTS, ...ofImage, ...times, test }
}

function validateTest([kind, ...rest]: readonly string[], hasTimes: boolean): void {
  const invalid = (why: string) => new StatusError('invalid_argument', `Invalid health check: ${why}`)
  if (kind === undefined && hasTimes) throw invalid('neither the request nor the image says what to run')
  if (kind === undefined) return
  const good =
    kind === 'NONE' ? rest.length === 0 : kind === 'CMD-SHELL' ? rest.length === 1 : kind === 'CMD' && rest[0]
  if (good) return
  const shown = JSON.stringify([kind, ...rest]).slice(0, 100)
  throw invalid(`the test is ["CMD", "program", ...], ["CMD-SHELL", "script"] or ["NONE"], not ${shown}`)
}

/** argv of a probe. */
export function probeArgs({ test: [kind, ...rest] }: Healthcheck): readonly string[] {
  return kind === 'CMD-SHELL' ? [...SHELL, ...rest] : rest
}

interface Streak {
  readonly status: HealthStatus
  readonly failingStreak: number
}

/** What a result makes of the health. `sinceStartMs`: from the container's start to the probe's. */
export function healthAfter(
  { retries, startPeriodMs }: Healthcheck,
  { status, failingStreak }: Streak,
  { exitCode, sinceStartMs }: { readonly exitCode: number; readonly sinceStartMs: number },
): Streak {
  if (exitCode === 0) return { status: 'healthy', failingStreak: 0 }
  if (status === 'starting' && sinceStartMs < startPeriodMs) return { status, failingStreak }
  const streak = failingStreak + 1
  return { status: streak >= retries ? 'unhealthy' : status, failingStreak: streak }
}

/** The time from one probe to the next. */
export function probeIntervalMs(check: Healthcheck, status: HealthStatus, sinceStartMs: number): number {
  const isStarting = status === 'starting' && sinceStartMs < check.startPeriodMs
  return isStarting ? check.startIntervalMs : check.intervalMs
}
