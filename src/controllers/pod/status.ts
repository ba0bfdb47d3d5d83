import { type Container, containerState, isAlive } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import {
  delayAfter,
  evictionOf,
  hasEnded,
  hasOldImage,
  infraOf,
  isContainerReady,
  isInitialized,
  isSidecar,
  outcomeOf,
  recordsOf,
  runsAgain,
} from '../../model/kube/pod-run.ts'
import type {
  ConditionStatus,
  ContainerTerminated,
  PodCondition,
  PodConditionType,
  PodContainerState,
  PodContainerStatus,
  PodPhase,
  PodStatus,
  QosClass,
} from '../../model/kube/pod-status.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { kubeTime } from '../../model/kube/time.ts'

/** Why a container cannot be made at present: `ImagePullBackOff`, `CreateContainerConfigError` ... */
export interface Waiting {
  readonly reason: string
  readonly message: string
}

export interface StatusInput {
  readonly pod: Pod
  readonly containers: readonly Container[]
  readonly waiting: ReadonlyMap<string, Waiting>
  /** Why the sandbox cannot be made, or the volumes. */
  readonly podWaiting?: Waiting
  /** Of its sandbox, or of the host for one in the host's network; IPv4 first. */
  readonly podIps: readonly string[]
  readonly hostIp: string | undefined
  readonly qosClass: QosClass
  readonly now: number
}

/** A pod's status from what its containers are (kubelet's generateAPIPodStatus). What does not change keeps its times. */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, containers, hostIp, podIps, qosClass, now } = input
  const { spec } = pod
  const infra = infraOf(containers)
  const isUp = infra !== undefined && isAlive(infra.status)
  const outcome = outcomeOf(pod, containers, now)
  // While anything runs it has not ended (kubelet's couldHaveRunningContainers).
  const isOver = outcome !== undefined && !containers.some(isRunningMember)
  const initialized = isInitialized(spec, containers, infra) || outcome?.phase === 'Succeeded'
  const inits = (spec.initContainers ?? []).map((container) => statusOf(input, infra, container, 'init', initialized))
  const mains = spec.containers.map((container) => statusOf(input, infra, container, 'main', initialized))
  const sidecars = inits.filter((_, index) => isSidecar(spec.initContainers![index]!))
  // Of the init containers alone, whether there is a sandbox or not (kubelet's GeneratePodInitializedCondition).
  const left = initialized ? [] : inits.filter((init) => !(sidecars.includes(init) ? init.started : init.ready))
  const unready = [...sidecars, ...mains].filter(({ ready }) => !ready).map(({ name }) => name)
  const isReady = isUp && outcome === undefined && !spec.stopped && unready.length === 0
  const why = outcome !== undefined ? WHY_OVER[outcome.phase] : spec.stopped ? 'PodStopped' : 'ContainersNotReady'
  const notReady = isReady ? {} : { reason: why, message: `containers with unready status: [${unready.join(' ')}]` }
  const condition = conditions(pod, now)
  return {
    phase: isOver ? outcome.phase : spec.stopped ? 'Pending' : phaseOf(mains, initialized),
    ...reasonOf(input, isOver ? outcome : undefined),
    conditions: [
      condition('PodReadyToStartContainers', isUp),
      condition('Initialized', left.length === 0, left.length === 0 ? {} : notInitialized(left)),
      condition('Ready', isReady, notReady),
      condition('ContainersReady', isReady, notReady),
      condition('PodScheduled', true),
      ...[evictionOf(pod) ?? []].flat(),
    ],
    ...(hostIp !== undefined && { hostIP: hostIp, hostIPs: [{ ip: hostIp }] }),
    ...(isUp ? addressesOf(podIps) : isOver && lastAddressesOf(pod)),
    ...((outcome !== undefined || !spec.stopped) && { startTime: pod.status.startTime ?? kubeTime(now) }),
    ...(inits.length > 0 && { initContainerStatuses: inits }),
    containerStatuses: mains,
    qosClass,
    observedGeneration: pod.metadata.generation,
  }
}

const WHY_OVER = { Succeeded: 'PodCompleted', Failed: 'PodFailed' } as const

function isRunningMember({ spec, status }: Container): boolean {
  return spec.pod?.role !== 'infra' && isAlive(status)
}

function addressesOf([first, ...rest]: readonly string[]): Pick<PodStatus, 'podIP' | 'podIPs'> {
  return first === undefined ? {} : { podIP: first, podIPs: [first, ...rest].map((ip) => ({ ip })) }
}

/** Of a pod that is over, which it has no more. */
function lastAddressesOf({ status }: Pod): Pick<PodStatus, 'podIP' | 'podIPs'> {
  return addressesOf((status.podIPs ?? []).map(({ ip }) => ip))
}

function reasonOf({ pod, podWaiting }: StatusInput, outcome: ReturnType<typeof outcomeOf>) {
  if (outcome !== undefined) {
    const { reason, message } = outcome
    return { ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }
  }
  return pod.spec.stopped ? { reason: 'Stopped', message: 'A user has stopped the pod' } : podWaiting
}

function phaseOf(mains: readonly PodContainerStatus[], initialized: boolean): PodPhase {
  const hasNeverRun = mains.some(({ state, lastState }) => state?.waiting && lastState?.terminated === undefined)
  return !initialized || hasNeverRun ? 'Pending' : 'Running'
}

function statusOf(
  input: StatusInput,
  infra: Container | undefined,
  container: PodContainer,
  role: 'init' | 'main',
  initialized: boolean,
): PodContainerStatus {
  const { containers, waiting } = input
  const records = recordsOf(containers, container.name)
  const last = records.at(-1)
  const before = records.at(-2)
  const hasBegun = last !== undefined && (containerState(last.status) === 'running' || hasEnded(last))
  const blocked = waiting.get(container.name)
  const willRun = last !== undefined && hasEnded(last) && willRunAgain(input, infra, container, role, last)
  const waits = role === 'main' && !initialized && (input.pod.spec.initContainers ?? []).length > 0
  const reason = waits ? 'PodInitializing' : 'ContainerCreating'
  const state: PodContainerState = !hasBegun
    ? { waiting: blocked ?? { reason } }
    : willRun
      ? { waiting: blocked ?? crashLoop(input, infra, last) ?? { reason } }
      : stateOf(last)
  const ended = willRun ? last : before
  const started = last !== undefined && isAlive(last.status) && isStarted(container, last)
  return {
    name: container.name,
    state,
    ...(ended !== undefined && hasEnded(ended) && { lastState: stateOf(ended) }),
    ready: role === 'init' && !isSidecar(container) ? isDone(last) : isContainerReady(container, last),
    started,
    restartCount: last?.spec.pod?.attempt ?? 0,
    image: last?.spec.pod?.image ?? container.image ?? '',
    imageID: last?.spec.imageId ?? '',
    ...(hasBegun && { containerID: idOf(last) }),
  }
}

function willRunAgain(
  { pod, containers, now }: StatusInput,
  infra: Container | undefined,
  container: PodContainer,
  role: 'init' | 'main',
  last: Container,
): boolean {
  const ends = pod.metadata.deletedAt !== undefined || pod.spec.stopped || outcomeOf(pod, containers, now) !== undefined
  if (ends) return false
  return (role === 'init' && !isOfSandbox(infra, last)) || runsAgain(pod.spec, container, role, last)
}

function isStarted({ startupProbe }: PodContainer, { status }: Container): boolean {
  return startupProbe === undefined || status.probes?.started === true
}

function isDone(last: Container | undefined): boolean {
  return last !== undefined && hasEnded(last) && last.status.exitCode === 0
}

function isOfSandbox(infra: Container | undefined, { spec }: Container): boolean {
  return infra?.spec.sandboxId === spec.sandboxId
}

/** Undefined for one that need not wait before it is made anew. */
function crashLoop({ pod, now }: StatusInput, infra: Container | undefined, last: Container) {
  const delayMs = delayAfter(last)
  if (!isOfSandbox(infra, last) || hasOldImage(pod, last) || last.status.finishedAt! + delayMs <= now) return undefined
  const { metadata } = pod
  const seconds = delayMs / 1000
  const { name, namespace, uid } = metadata
  const of = `container=${last.spec.pod!.name} pod=${name}_${namespace}(${uid})`
  return { reason: 'CrashLoopBackOff', message: `back-off ${seconds}s restarting failed ${of}` }
}

function stateOf({ metadata, spec, status }: Container): PodContainerState {
  if (isAlive(status)) return { running: { startedAt: kubeTime(status.startedAt!) } }
  const { exitCode = 0, reason, message, startedAt, finishedAt } = status
  const terminated: ContainerTerminated = {
    exitCode,
    reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
    ...(message !== undefined && { message }),
    ...(startedAt !== undefined && { startedAt: kubeTime(startedAt) }),
    ...(finishedAt !== undefined && { finishedAt: kubeTime(finishedAt) }),
    containerID: idOf({ metadata, spec, status }),
  }
  return { terminated }
}

function notInitialized(left: readonly PodContainerStatus[]) {
  const names = left.map(({ name }) => name).join(' ')
  return { reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${names}]` }
}

/** A condition keeps the time of its last transition while its status stays. */
function conditions({ metadata, status }: Pod, now: number) {
  return (type: PodConditionType, holds: boolean, why: Pick<PodCondition, 'reason' | 'message'> = {}): PodCondition => {
    const is: ConditionStatus = holds ? 'True' : 'False'
    const before = status.conditions?.find((condition) => condition.type === type)
    const lastTransitionTime = before?.status === is ? before.lastTransitionTime : kubeTime(now)
    return {
      type,
      status: is,
      ...why,
      lastTransitionTime: lastTransitionTime!,
      observedGeneration: metadata.generation,
    }
  }
}

function idOf({ metadata }: Container): string {
  return `condenser://${metadata.uid}`
}
