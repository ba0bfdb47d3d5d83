import type { WirePodContainerState, WirePodContainerStatus, WirePodObject } from '../../api/raind/index.ts'
import { ageOf } from '../format.ts'

export interface PodSummary {
  /** `1/2`: containers that are ready, and that there are to be. */
  readonly ready: string
  readonly status: string
  /** `3`, `3 (5m ago)` */
  readonly restarts: string
}

/** What kubectl makes of a pod in one line (Kubernetes, pkg/printers/internalversion, printPod). */
export function podSummary(pod: WirePodObject, now: number): PodSummary {
  const { spec, status } = pod
  const inits = status.initContainerStatuses ?? []
  const mains = status.containerStatuses ?? []
  const isSidecar = ({ name }: WirePodContainerStatus) =>
    spec.initContainers?.find((init) => init.name === name)?.restartPolicy === 'Always'
  const sidecars = inits.filter(isSidecar)
  const pending = inits.findIndex((init) => !isPast(init, isSidecar(init)))
  const isInitialized =
    pending < 0 || status.conditions?.some(({ type, status: is }) => type === 'Initialized' && is === 'True')
  const counted = isInitialized ? [...sidecars, ...mains] : inits.slice(0, pending + 1)
  const past = pending < 0 ? inits : inits.slice(0, pending)
  const ready = [
    ...past.filter((init) => isSidecar(init) && init.started && init.ready),
    ...(isInitialized ? mains.filter(isReadyNow) : []),
  ]
  const total =
    spec.containers.length +
    (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').length
  const word = isInitialized ? runningWord(pod) : initWord(inits[pending]!, pending, spec.initContainers?.length ?? 0)
  return { ready: `${ready.length}/${total}`, status: lastWord(pod, word), restarts: restartsOf(counted, now) }
}

/** Whether an init container keeps those after it from beginning no longer. */
function isPast({ state, started }: WirePodContainerStatus, isSidecar: boolean): boolean {
  return state?.terminated?.exitCode === 0 || (isSidecar && started === true)
}

function initWord({ state }: WirePodContainerStatus, index: number, count: number): string {
  if (state?.terminated !== undefined) return `Init:${endWord(state.terminated)}`
  const waiting = state?.waiting?.reason ?? ''
  return waiting !== '' && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${index}/${count}`
}

/** Of a pod whose init containers are done: the first container that does not run says why. */
function runningWord({ status }: WirePodObject): string {
  const mains = status.containerStatuses ?? []
  const [why] = mains.flatMap(({ state }) => whyNot(state) ?? [])
  if (why === undefined) return status.reason ?? status.phase
  if (why !== 'Completed' || !mains.some(isReadyNow)) return why
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ? 'Running' : 'NotReady'
}

function whyNot(state: WirePodContainerState = {}): string | undefined {
  if (state.waiting?.reason) return state.waiting.reason
  return state.terminated === undefined ? undefined : endWord(state.terminated)
}

function endWord({ reason, signal, exitCode }: NonNullable<WirePodContainerState['terminated']>): string {
  if (reason) return reason
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`
}

function isReadyNow({ ready, state }: WirePodContainerStatus): boolean {
  return ready && state?.running !== undefined
}

/** What is said instead of a pod that goes, or that a user has stopped: the latter is Raind's own. */
function lastWord({ metadata, status }: WirePodObject, word: string): string {
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return word
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (status.reason !== 'Stopped') return word
  const isRunning = status.containerStatuses?.some(({ state }) => state?.running !== undefined)
  return isRunning ? 'Stopping' : 'Stopped'
}

function restartsOf(containers: readonly WirePodContainerStatus[], now: number): string {
  const count = containers.reduce((sum, { restartCount }) => sum + restartCount, 0)
  const last = containers
    .flatMap(({ lastState }) => lastState?.terminated?.finishedAt ?? [])
    .sort()
    .at(-1)
  return count === 0 || last === undefined ? String(count) : `${count} (${ageOf(last, now)} ago)`
}
