import { withoutUndefined } from '../lib/without-undefined.ts'
import { type HealthcheckOptions, planHealthcheck } from '../model/healthcheck.ts'
import type { ComposeHealthcheck } from './project.ts'
import { type At, attempt, below, integer, milliseconds, truth } from './values.ts'

export function toHealthcheck(check: ComposeHealthcheck | undefined, at: At): HealthcheckOptions | undefined {
  if (check === undefined) return undefined
  if (truth(below(at, 'disable'), check.disable)) return { test: ['NONE'] }
  const test = typeof check.test === 'string' ? ['CMD-SHELL', check.test] : check.test
  attempt(below(at, 'test'), () => planHealthcheck({ test }, undefined))
  return withoutUndefined({
    test,
    intervalMs: milliseconds(below(at, 'interval'), check.interval),
    timeoutMs: milliseconds(below(at, 'timeout'), check.timeout),
    retries: integer(below(at, 'retries'), check.retries, 0, 1_000_000) || undefined,
    startPeriodMs: milliseconds(below(at, 'start_period'), check.start_period),
    startIntervalMs: milliseconds(below(at, 'start_interval'), check.start_interval),
  })
}
