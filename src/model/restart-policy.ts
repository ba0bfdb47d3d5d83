import { type Backoff, backoffMs } from '../lib/backoff.ts'
import { StatusError } from '../lib/errors.ts'
import type { Container, ContainerStatus } from './container.ts'

/** Whether a container that has ended is started again, as docker has it. */
export interface RestartPolicy {
  readonly name: 'no' | 'on-failure' | 'always' | 'unless-stopped'
  /** With `on-failure`: after that many restarts it stays; absent: no limit. */
  readonly maxRetries?: number
}

const BACKOFF: Backoff = { firstMs: 100, maxMs: 60_000, jitter: 0 }
/** Who ran that long has not failed at once: the next delay is the first one again. */
const SETTLED_MS = 10_000

/** `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:5`. @throws {StatusError} `invalid_argument` */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [, name, , retries] = /^(no|always|unless-stopped|on-failure)(:(\d{1,9}))?$/.exec(text) ?? []
  if (name === undefined || (retries !== undefined && name !== 'on-failure')) {
    throw new StatusError(
      'invalid_argument',
      `Invalid restart policy "${text.slice(0, 100)}": it is one of no, on-failure[:MAX], always, unless-stopped`,
    )
  }
  // As docker: 0 is no limit.
  return { name: name as RestartPolicy['name'], ...(Number(retries) > 0 && { maxRetries: Number(retries) }) }
}

/** Whether a container that runs is to be ended and started again, because it is unhealthy. */
export function isEndedUnhealthy({ spec, status }: Pick<Container, 'spec' | 'status'>): boolean {
  return spec.restartUnhealthy === true && status.health?.status === 'unhealthy' && wantsRestart({ spec, status }, 1)
}

export interface Ended {
  readonly exitCode: number
  /** ms */
  readonly finishedAt: number
}

/** The status of a container that has ended like that, as far as restarts go: when the next one is due, if any is. */
export function restartAfter(
  { spec, status }: Pick<Container, 'spec' | 'status'>,
  { exitCode, finishedAt }: Ended,
): Pick<ContainerStatus, 'nextRestartAt' | 'restartDelayMs'> {
  if (!wantsRestart({ spec, status }, exitCode)) return { nextRestartAt: undefined, restartDelayMs: undefined }
  const hasSettled = finishedAt - (status.startedAt ?? finishedAt) >= SETTLED_MS
  const before = hasSettled ? 0 : (status.restartDelayMs ?? 0)
  const restartDelayMs = before === 0 ? backoffMs(BACKOFF, 1) : Math.min(before * 2, BACKOFF.maxMs)
  return { nextRestartAt: finishedAt + restartDelayMs, restartDelayMs }
}

function wantsRestart({ spec, status }: Pick<Container, 'spec' | 'status'>, exitCode: number): boolean {
  const { name, maxRetries = Number.POSITIVE_INFINITY } = spec.restart ?? { name: 'no' }
  if (status.stopRequestedAt !== undefined || status.removingAt !== undefined) return false
  if (status.restartCount >= maxRetries) return false
  if (spec.restartUnhealthy && status.health?.status === 'unhealthy') return true
  return name === 'always' || name === 'unless-stopped' || (name === 'on-failure' && exitCode !== 0)
}

/**
 * Whether a daemon that starts is to start this container, which does not run and waits for no restart. `always` means
 * also one that a user has stopped: that counts until the daemon or the host is restarted (docker's documentation).
 */
export function startsWithDaemon({ spec, status }: Pick<Container, 'spec' | 'status'>): boolean {
  const hasRun = status.finishedAt !== undefined && status.reason !== 'StartError'
  if (!hasRun || status.pid !== undefined || status.removingAt !== undefined) return false
  if (status.nextRestartAt !== undefined) return false
  if (spec.restart?.name === 'always') return true
  return spec.restart?.name === 'unless-stopped' && status.stopRequestedAt === undefined
}

/** How long until a due restart, in ms; 0: now; undefined: none is. However the clock was set, not longer than the longest delay. */
export function restartDueInMs({ nextRestartAt }: ContainerStatus, now: number): number | undefined {
  return nextRestartAt === undefined ? undefined : Math.min(Math.max(0, nextRestartAt - now), BACKOFF.maxMs)
}
