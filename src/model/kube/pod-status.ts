import type { Time } from './time.ts'

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

export interface PodStatus {
  readonly phase: PodPhase
  readonly conditions?: readonly PodCondition[]
  readonly message?: string
  /** Why it is in this phase: `Evicted`, `DeadlineExceeded` ... */
  readonly reason?: string
  readonly nominatedNodeName?: string
  readonly hostIP?: string
  readonly hostIPs?: readonly { readonly ip: string }[]
  readonly podIP?: string
  readonly podIPs?: readonly { readonly ip: string }[]
  /** When the pod was taken up, before its images were pulled. */
  readonly startTime?: Time
  readonly initContainerStatuses?: readonly PodContainerStatus[]
  readonly containerStatuses?: readonly PodContainerStatus[]
  readonly ephemeralContainerStatuses?: readonly PodContainerStatus[]
  readonly qosClass?: QosClass
  /** Of the spec that this status tells of. */
  readonly observedGeneration?: number
}

export type PodConditionType =
  | 'PodScheduled'
  | 'PodReadyToStartContainers'
  | 'Initialized'
  | 'ContainersReady'
  | 'Ready'
  | 'DisruptionTarget'

export interface PodCondition {
  readonly type: PodConditionType
  readonly status: ConditionStatus
  /** CamelCase: `ContainersNotReady`. */
  readonly reason?: string
  readonly message?: string
  readonly lastProbeTime?: Time | null
  /** When `status` last changed. */
  readonly lastTransitionTime?: Time
  readonly observedGeneration?: number
}

export type ConditionStatus = 'True' | 'False' | 'Unknown'

/** Of one container of a pod, as `status.containerStatuses` tells it. */
export interface PodContainerStatus {
  readonly name: string
  /** The last one where there is none now: restarts begin with `waiting`. */
  readonly state?: PodContainerState
  readonly lastState?: PodContainerState
  readonly ready: boolean
  /** Whether its startup probe has succeeded, or it has none and runs. */
  readonly started?: boolean
  readonly restartCount: number
  readonly image: string
  /** Where its content was taken from: `docker.io/library/nginx@sha256:...`. */
  readonly imageID: string
  /** `containerd://<id>` in a cluster: the runtime's name and the id. */
  readonly containerID?: string
}

/** Exactly one. */
export interface PodContainerState {
  readonly waiting?: ContainerWaiting
  readonly running?: ContainerRunning
  readonly terminated?: ContainerTerminated
}

export interface ContainerWaiting {
  /** `ContainerCreating`, `PodInitializing`, `ImagePullBackOff`, `CrashLoopBackOff` ... */
  readonly reason?: string
  readonly message?: string
}

export interface ContainerRunning {
  readonly startedAt: Time
}

export interface ContainerTerminated {
  readonly exitCode: number
  readonly signal?: number
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, `DeadlineExceeded` ... */
  readonly reason?: string
  /** What it left at `terminationMessagePath`. */
  readonly message?: string
  readonly startedAt?: Time
  readonly finishedAt?: Time
  readonly containerID?: string
}
