import { type Container, isAlive } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import {
  containerInPod,
  deadlineOf,
  delayAfter,
  EVICTED,
  evictionOf,
  hasBegun,
  hasEnded,
  hasOldImage,
  hasSucceeded,
  infraOf,
  isInitialized,
  isOutdated,
  isSidecar,
  lastIn,
  nextDelay,
  outcomeOf,
  recordsOf,
  runsAgain,
} from '../../model/kube/pod-run.ts'
import type { Pod } from '../../model/kube/stored.ts'

export interface PodView {
  readonly pod: Pod
  /** All records of its containers, in order of creation. */
  readonly containers: readonly Container[]
  /** Containers that cannot be made before that time (ms), by name: an image that could not be pulled. */
  readonly holds: ReadonlyMap<string, number>
  readonly now: number
}

/** What is to be done next for a pod. After it the world is looked at again. */
export type PodStep =
  /** End these containers, all at once. */
  | { readonly do: 'kill'; readonly kills: readonly Kill[] }
  | { readonly do: 'remove'; readonly containers: readonly Container[] }
  /** Make a sandbox; `replaces`: those that are down. */
  | { readonly do: 'run-sandbox'; readonly next: NextAttempt; readonly replaces: readonly Container[] }
  | { readonly do: 'start'; readonly infra: Container; readonly starts: readonly Start[] }
  /** Nothing is left of a pod that is to go. */
  | { readonly do: 'forget' }
  /** All is as it should be; look again at that time, if nothing happens before. */
  | { readonly do: 'wait'; readonly untilMs: number }

export interface Kill {
  readonly container: Container
  readonly graceMs: number
  /** For the event. */
  readonly reason: string
  /** It is made anew later, whatever the restart policy says. */
  readonly isToRunAgain?: true
}

export interface Start extends NextAttempt {
  readonly container: PodContainer
  readonly role: 'init' | 'main'
  /** Records of it that are not needed any more: the one before this is kept, for its log and how it ended. */
  readonly replaces: readonly Container[]
}

export interface NextAttempt {
  readonly attempt: number
  /** What is waited after its end. */
  readonly restartDelayMs: number
}

const DEFAULT_GRACE_SECONDS = 30
/** Of members whose network has gone: there is nothing left that they could end in good order. */
const NO_SANDBOX_GRACE_MS = 2000
/** Whoever takes more than it may is ended at once (immediateEvictionGracePeriodSeconds). */
const EVICTED_GRACE_MS = 1000

/** Decides like kubelet (computePodActions in pkg/kubelet/kuberuntime): first what must end, then the sandbox, then what must run. */
export function nextStep(view: PodView): PodStep {
  const { pod, containers, now } = view
  const infra = infraOf(containers)
  const members = containers.filter(({ spec }) => spec.pod?.role !== 'infra')
  const running = members.filter(({ status }) => isAlive(status))
  const ends = endOf(pod, containers, now)
  if (ends !== undefined) return end(pod, containers, running, ends)
  if (infra === undefined || !isAlive(infra.status)) return renewSandbox(view, infra, running)
  const unhealthy = running.filter(({ status }) => status.probes?.failed !== undefined)
  const outdated = running.filter((container) => isOutdated(pod, container))
  if (unhealthy.length + outdated.length > 0) {
    const others = unhealthy.filter((container) => !outdated.includes(container))
    const kills = [
      ...others.map((container) => killUnhealthy(pod, container)),
      ...outdated.map((container) => killOutdated(pod, container)),
    ]
    return { do: 'kill', kills }
  }
  return runMembers(view, infra)
}

/** Why nothing of the pod is to run; undefined if it is to. */
function endOf(pod: Pod, containers: readonly Container[], now: number): string | undefined {
  if (pod.metadata.deletedAt !== undefined) return 'the pod is deleted'
  if (pod.spec.stopped) return 'the pod is stopped'
  const outcome = outcomeOf(pod, containers, now)
  if (outcome === undefined) return undefined
  switch (outcome.reason) {
    case 'DeadlineExceeded':
      return 'the pod has been active for too long'
    case EVICTED:
      return 'the pod is evicted'
    default:
      return 'the pod is complete'
  }
}

function end(pod: Pod, containers: readonly Container[], running: readonly Container[], reason: string): PodStep {
  const graceMs = graceOf(pod)
  const isDeleted = pod.metadata.deletedAt !== undefined
  const again = pod.spec.stopped && !isDeleted ? { isToRunAgain: true as const } : {}
  if (running.length > 0) {
    return { do: 'kill', kills: running.map((container) => ({ container, graceMs, reason, ...again })) }
  }
  const left = isDeleted ? containers : recordsOf(containers, '')
  if (left.length > 0) return { do: 'remove', containers: left }
  return isDeleted ? { do: 'forget' } : { do: 'wait', untilMs: Number.POSITIVE_INFINITY }
}

function renewSandbox({ pod, containers, now }: PodView, infra: Container | undefined, running: readonly Container[]) {
  if (running.length > 0) {
    const graceMs = Math.min(graceOf(pod), NO_SANDBOX_GRACE_MS)
    const reason = 'the sandbox of the pod has ended'
    return { do: 'kill', kills: running.map((container) => ({ container, graceMs, reason })) } as const
  }
  const dueAt = infra === undefined ? now : (infra.status.finishedAt ?? now) + delayAfter(infra)
  if (dueAt > now) return { do: 'wait', untilMs: Math.min(dueAt, deadlineOf(pod)) } as const
  return { do: 'run-sandbox', next: attemptAfter(infra), replaces: recordsOf(containers, '') } as const
}

function runMembers(view: PodView, infra: Container): PodStep {
  const { pod, containers } = view
  const { initContainers = [] } = pod.spec
  const inits = isInitialized(pod.spec, containers, infra)
    ? initContainers.filter(isSidecar)
    : upToFirstUnfinished(view, infra, initContainers)
  const mains = isInitialized(pod.spec, containers, infra) ? pod.spec.containers : []
  const due = [
    ...inits.map((container) => startOf(view, infra, container, 'init')),
    ...mains.map((container) => startOf(view, infra, container, 'main')),
  ].filter((start) => start !== undefined)
  const starts = due.filter(({ dueAt }) => dueAt <= view.now).map(({ start }) => start)
  if (starts.length > 0) return { do: 'start', infra, starts }
  return { do: 'wait', untilMs: Math.min(deadlineOf(pod), ...due.map(({ dueAt }) => dueAt)) }
}

/** One after the other; a sidecar lets the next begin once it has begun itself. */
function upToFirstUnfinished({ containers }: PodView, infra: Container, inits: readonly PodContainer[]) {
  const first = inits.findIndex((init) => {
    const last = lastIn(infra, containers, init.name)
    return last === undefined || !(isSidecar(init) ? hasBegun(init, last) : hasSucceeded(last))
  })
  return inits.slice(0, first + 1).filter((init, index) => index === first || isSidecar(init))
}

/** When and how a container is to be made; undefined if it runs or has run its course. */
function startOf(
  { pod, containers, holds, now }: PodView,
  infra: Container,
  container: PodContainer,
  role: Start['role'],
): { readonly start: Start; readonly dueAt: number } | undefined {
  const records = recordsOf(containers, container.name)
  const last = records.at(-1)
  const heldUntil = holds.get(container.name) ?? 0
  const make = (next: NextAttempt, replaces: readonly Container[], dueAt: number) => ({
    start: { ...next, container, role, replaces },
    dueAt: Math.max(dueAt, heldUntil),
  })
  if (last === undefined) return make(attemptAfter(undefined), [], now)
  if (isAlive(last.status) || last.status.pid !== undefined) return undefined
  if (!hasEnded(last)) {
    // It was made and not started: the daemon was ended in between.
    const { attempt, restartDelayMs = 0 } = last.spec.pod!
    return make({ attempt, restartDelayMs }, records.slice(-1), now)
  }
  const isOfThisSandbox = last.spec.sandboxId === infra.spec.sandboxId
  // With a new sandbox the init containers begin anew, whatever they did in the old one.
  const isOldInit = role === 'init' && !isOfThisSandbox
  if (!isOldInit && !runsAgain(pod.spec, container, role, last)) return undefined
  const attempt = last.spec.pod!.attempt + 1
  // How another image ended counts for nothing.
  if (hasOldImage(pod, last)) return make({ attempt, restartDelayMs: 0 }, records.slice(0, -1), now)
  const dueAt = isOfThisSandbox ? last.status.finishedAt! + delayAfter(last) : now
  // With a new sandbox a container has not failed once more.
  const restartDelayMs = isOfThisSandbox ? nextDelay(last) : delayAfter(last)
  return make({ attempt, restartDelayMs }, records.slice(0, -1), dueAt)
}

function attemptAfter(before: Container | undefined): NextAttempt {
  if (before === undefined) return { attempt: 0, restartDelayMs: 0 }
  return { attempt: before.spec.pod!.attempt + 1, restartDelayMs: nextDelay(before) }
}

function killUnhealthy(pod: Pod, container: Container): Kill {
  const { failed, message } = container.status.probes!
  const ofSpec = containerInPod(pod, container)
  const probe = failed === 'startup' ? ofSpec?.startupProbe : ofSpec?.livenessProbe
  const seconds = probe?.terminationGracePeriodSeconds
  return {
    container,
    graceMs: seconds === undefined ? graceOf(pod) : seconds * 1000,
    reason: `it failed its ${failed} probe${message === undefined ? '' : `: ${message}`}`,
  }
}

function killOutdated(pod: Pod, container: Container): Kill {
  return {
    container,
    graceMs: graceOf(pod),
    reason: 'its image has changed: it is made anew',
    isToRunAgain: true,
  }
}

/** How long its containers have to end, in ms. */
export function graceOf(pod: Pod): number {
  if (evictionOf(pod) !== undefined) return EVICTED_GRACE_MS
  const { metadata, spec } = pod
  return (metadata.deletionGraceSeconds ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000
}
