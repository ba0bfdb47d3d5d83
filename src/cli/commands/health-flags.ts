import type { FlagSpec, Flags } from '../command.ts'
import { usageError } from '../errors.ts'

/** Docker's flags of a container's health check, and one that docker leaves to others. */
export const HEALTH_FLAGS: Readonly<Record<string, FlagSpec>> = {
  'health-cmd': { type: 'string', value: 'SCRIPT', help: 'what asks it whether it is well: exits with 0 if so' },
  'health-interval': { type: 'string', value: 'TIME', help: 'time between two of these (default 30s)' },
  'health-timeout': { type: 'string', value: 'TIME', help: 'how long one may take (default 30s)' },
  'health-retries': { type: 'string', value: 'N', help: 'failures in a row that make it unhealthy (default 3)' },
  'health-start-period': { type: 'string', value: 'TIME', help: 'so long after its start failures do not count' },
  'health-start-interval': { type: 'string', value: 'TIME', help: 'the interval meanwhile (default 5s)' },
  'no-healthcheck': { type: 'boolean', help: "leave out the image's health check" },
  'restart-unhealthy': { type: 'boolean', help: 'restart it when it has become unhealthy' },
}

/** What was not given is undefined. */
export function healthBody(flags: Flags) {
  const command = flags.text('health-cmd')
  if (flags.is('no-healthcheck') && command !== undefined) {
    throw usageError('--no-healthcheck and --health-cmd exclude each other')
  }
  const test = flags.is('no-healthcheck') ? ['NONE'] : command === undefined ? undefined : ['CMD-SHELL', command]
  const healthcheck = {
    test,
    interval: flags.text('health-interval'),
    timeout: flags.text('health-timeout'),
    retries: flags.number('health-retries'),
    startPeriod: flags.text('health-start-period'),
    startInterval: flags.text('health-start-interval'),
  }
  const isGiven = Object.values(healthcheck).some((value) => value !== undefined)
  return {
    healthcheck: isGiven ? (JSON.parse(JSON.stringify(healthcheck)) as object) : undefined,
    restartUnhealthy: flags.is('restart-unhealthy') || undefined,
  }
}
