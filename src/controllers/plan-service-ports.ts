import type { ServiceCondition } from '../model/kube/service.ts'
import type { Service } from '../model/kube/stored.ts'
import { kubeTime } from '../model/kube/time.ts'
import type { PortLease } from '../model/network.ts'
import { ANY_ADDRESS, type HostPort, hostPortsOf } from './plan-services.ts'

export interface ServicePortsPlan {
  readonly claim: readonly HostPort[]
  readonly release: readonly PortLease[]
  /** What the condition is to become; undefined if it stays as it is. */
  readonly condition?: ServiceCondition | 'none'
  /** A program of the host is in the way, and nobody says when it has gone. */
  readonly retryAfterMs?: number
}

const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 60_000

/**
 * Which ports of the host a Service is to take, where nobody has them, and give back.
 * @param leases all there are
 * @param listening the ports that programs of the host have, as `port/protocol`
 */
export function planServicePorts(
  service: Service,
  leases: readonly PortLease[],
  listening: ReadonlySet<string>,
  now: number,
): ServicePortsPlan {
  const { metadata, status } = service
  const asked = metadata.deletedAt === undefined ? hostPortsOf(service) : []
  const wanted = [...new Map(asked.map((port) => [portText(port), port])).values()]
  const own = leases.filter(({ spec }) => spec.sandboxId === metadata.uid)
  const missing = wanted.filter((port) => !own.some((lease) => isFor(lease, port)))
  const leased = missing.filter((port) => leases.some((lease) => isFor(lease, port)))
  const busy = missing.filter((port) => !leased.includes(port) && listening.has(portText(port)))
  const problems = [
    ...leased.map((port) => `${portText(port)} is published by another`),
    ...busy.map((port) => `${portText(port)} is in use by a program of the host`),
  ]
  const before = status.conditions?.find(({ type }) => type === 'HostPorts')
  const condition = wanted.length === 0 ? undefined : conditionOf(problems, before, now)
  const stays = condition?.status === before?.status && condition?.message === before?.message
  return {
    claim: missing.filter((port) => !leased.includes(port) && !busy.includes(port)),
    release: own.filter((lease) => !wanted.some((port) => isFor(lease, port))),
    ...(!stays && { condition: condition ?? 'none' }),
    ...(busy.length > 0 && { retryAfterMs: retryAfterMs(condition!, now) }),
  }
}

export function portText({ port, protocol }: HostPort): string {
  return `${port}/${protocol}`
}

export function leaseName({ port }: HostPort): string {
  return `${port}/${ANY_ADDRESS}`
}

/** On whatever address. */
function isFor({ metadata }: PortLease, { port, protocol }: HostPort): boolean {
  return metadata.namespace === protocol && metadata.name.startsWith(`${port}/`)
}

function conditionOf(problems: readonly string[], before: ServiceCondition | undefined, now: number): ServiceCondition {
  const isWhole = problems.length === 0
  const status = isWhole ? 'True' : 'False'
  return {
    type: 'HostPorts',
    status,
    reason: isWhole ? 'PortsClaimed' : 'PortsInUse',
    message: isWhole ? 'The Service answers at its ports of the host' : `It does not answer at: ${problems.join('; ')}`,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : kubeTime(now),
  }
}

/** As long as it has been so already: it doubles each time. */
function retryAfterMs({ lastTransitionTime }: ServiceCondition, now: number): number {
  return Math.min(LAST_RETRY_MS, Math.max(FIRST_RETRY_MS, now - Date.parse(lastTransitionTime)))
}
