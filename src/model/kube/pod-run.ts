/** What a pod's containers tell of it: pure, from the records of its containers in order of creation. */
import { type Container, containerState, isAlive } from '../container.ts'
import type { PodContainer } from './container.ts'
import type { PodSpec } from './pod.ts'
import type { PodCondition } from './pod-status.ts'
import type { Pod } from './stored.ts'

/** What the pod's spec says of a container; undefined for the infra container. */
export function containerInPod({ spec }: Pod, { spec: { pod: role } }: Container): PodContainer | undefined {
  return [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === role?.name)
}

/** The records of one container of the spec, or of the infra container (empty name), oldest attempt first. */
export function recordsOf(containers: readonly Container[], name: string): Container[] {
  return containers
    .filter(({ spec }) => spec.pod?.name === name)
    .toSorted((a, b) => a.spec.pod!.attempt - b.spec.pod!.attempt)
}

/** The infra container that was made last. */
export function infraOf(containers: readonly Container[]): Container | undefined {
  return recordsOf(containers, '').at(-1)
}

/** Whether it has ended, be it that it could not be started. */
export function hasEnded({ status }: Container): boolean {
  return !isAlive(status) && status.pid === undefined && status.finishedAt !== undefined
}

export function hasSucceeded(container: Container): boolean {
  return hasEnded(container) && container.status.exitCode === 0 && container.status.reason !== 'StartError'
}

/** An init container that goes on running beside the others. */
export function isSidecar({ restartPolicy }: PodContainer): boolean {
  return restartPolicy === 'Always'
}

/** Whether it was made from another image than its pod names now: kubelet's hash has nothing else (HashContainer). */
export function hasOldImage(pod: Pod, container: Container): boolean {
  const { image } = container.spec.pod!
  return image !== undefined && image !== containerInPod(pod, container)?.image
}

/** Whether a container that runs is to be made anew. An init container is not: it has begun its work. */
export function isOutdated(pod: Pod, container: Container): boolean {
  const ofSpec = containerInPod(pod, container)
  if (ofSpec === undefined || (container.spec.pod!.role === 'init' && !isSidecar(ofSpec))) return false
  return container.status.isToRunAgain === true || hasOldImage(pod, container)
}

/** When the policy of the pod, or of a sidecar, has an ended container run again. */
export function runsAgain(spec: PodSpec, container: PodContainer, role: 'init' | 'main', ended: Container): boolean {
  if (ended.status.isToRunAgain) return true
  if (role === 'init' && isSidecar(container)) return true
  // An init container that has succeeded has done its work.
  if (role === 'init') return spec.restartPolicy !== 'Never' && !hasSucceeded(ended)
  if (spec.restartPolicy === 'OnFailure') return !hasSucceeded(ended)
  return spec.restartPolicy !== 'Never'
}

/** Whether all init containers but the sidecars have succeeded, and the sidecars have begun, in this sandbox. */
export function isInitialized(spec: PodSpec, containers: readonly Container[], infra: Container | undefined): boolean {
  if (infra === undefined) return false
  const last = (name: string) => lastIn(infra, containers, name)
  if (spec.containers.some(({ name }) => last(name) !== undefined)) return true
  return (spec.initContainers ?? []).every((init) => {
    const record = last(init.name)
    if (record === undefined) return false
    return isSidecar(init) ? hasBegun(init, record) : hasSucceeded(record)
  })
}

/** Of a container that runs: whether those after it may begin. */
export function hasBegun({ startupProbe }: PodContainer, { status }: Container): boolean {
  if (containerState(status) !== 'running') return false
  return startupProbe === undefined || status.probes?.started === true
}

/** Ready for traffic: it runs, has begun, and its readiness probe says so, if there is one. */
export function isContainerReady(container: PodContainer, record: Container | undefined): boolean {
  if (record === undefined || !hasBegun(container, record)) return false
  return container.readinessProbe === undefined || record.status.probes?.ready === true
}

/** The last record of a container that belongs to the infra container's sandbox. */
export function lastIn(infra: Container, containers: readonly Container[], name: string): Container | undefined {
  const last = recordsOf(containers, name).at(-1)
  return last?.spec.sandboxId === infra.spec.sandboxId ? last : undefined
}

/** Why a pod has failed that has taken more of the host than it may. */
export const EVICTED = 'Evicted'
/** What says so from when that is decided, its containers may still run; as kubelet sets it. */
export const EVICTION = { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' } as const

export function evictionOf({ status }: Pod): PodCondition | undefined {
  return status.conditions?.find(({ type, reason }) => type === EVICTION.type && reason === EVICTION.reason)
}

export interface Outcome {
  readonly phase: 'Succeeded' | 'Failed'
  readonly reason?: string
  readonly message?: string
}

/** How the pod has ended for good; undefined while it may go on. What has been told once stays. */
export function outcomeOf(pod: Pod, containers: readonly Container[], now: number): Outcome | undefined {
  const { spec, status } = pod
  if (status.phase === 'Succeeded' || status.phase === 'Failed') {
    const { phase, reason, message } = status
    return { phase, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }
  }
  if (spec.stopped || pod.metadata.deletedAt !== undefined) return undefined
  const eviction = evictionOf(pod)
  if (eviction !== undefined) return { phase: 'Failed', reason: EVICTED, message: eviction.message ?? '' }
  if (deadlineOf(pod) <= now) {
    return {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    }
  }
  const last = (container: PodContainer) => recordsOf(containers, container.name).at(-1)
  const failedInit = (spec.initContainers ?? []).some((init) => {
    const record = last(init)
    return record !== undefined && hasEnded(record) && !hasSucceeded(record) && !runsAgain(spec, init, 'init', record)
  })
  if (failedInit) return { phase: 'Failed' }
  const records = spec.containers.map((container) => {
    const record = last(container)
    return record !== undefined && hasEnded(record) && !runsAgain(spec, container, 'main', record) ? record : undefined
  })
  if (records.some((record) => record === undefined)) return undefined
  return { phase: records.every((record) => hasSucceeded(record!)) ? 'Succeeded' : 'Failed' }
}

/** ms since the epoch; Infinity if it has none. */
export function deadlineOf({ spec, status }: Pod): number {
  if (spec.activeDeadlineSeconds === undefined || status.startTime === undefined) return Number.POSITIVE_INFINITY
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000
}

const FIRST_DELAY_MS = 10_000
const MAX_DELAY_MS = 300_000
/** Who ran that long has settled. */
const SETTLED_MS = 600_000

/** What is waited after the end of a container before it is made anew: kubelet's back-off, 0 after a first failure. */
export function delayAfter({ spec, status }: Container): number {
  const ranMs = (status.finishedAt ?? 0) - (status.startedAt ?? status.finishedAt ?? 0)
  return ranMs >= SETTLED_MS ? 0 : (spec.pod?.restartDelayMs ?? 0)
}

/** What the one that is made after it waits in turn. */
export function nextDelay(before: Container): number {
  const delay = delayAfter(before)
  return delay === 0 ? FIRST_DELAY_MS : Math.min(delay * 2, MAX_DELAY_MS)
}
