import { StatusError } from '../lib/errors.ts'
import type { ChainId, Digest } from './digest.ts'
import type { Health, Healthcheck } from './healthcheck.ts'
import type { StoredObject } from './meta.ts'
import type { RestartPolicy } from './restart-policy.ts'
import type { SecurityOptions } from './security.ts'

export interface Mount {
  /** Absolute host path; of a volume where its files are. */
  readonly source: string
  /** Name of the volume that is mounted; absent: a path of the host. */
  readonly volume?: string
  /** The volume was made for this mount alone, without a name. */
  readonly anonymous?: true
  /** The volume is not filled with what the image has there. */
  readonly noCopy?: true
  /** Absolute path inside the container. */
  readonly destination: string
  readonly readOnly: boolean
  /** `rprivate` unless asked for. */
  readonly propagation: 'rprivate' | 'private' | 'rslave' | 'slave' | 'rshared' | 'shared'
}

export interface Tmpfs {
  readonly destination: string
  /** Mount options as docker takes them: `size=64m`, `mode=1777`, `exec` ... */
  readonly options: readonly string[]
}

/** setrlimit(2). -1: unlimited. */
export interface Ulimit {
  /** Lower case, without `RLIMIT_`: `nofile`. */
  readonly name: string
  readonly soft: number
  readonly hard: number
}

export interface Device {
  /** A device of the host, or a directory with devices below it. */
  readonly source: string
  readonly destination: string
  /** Of `rwm`: read, write, mknod. */
  readonly access: string
}

/** Absent: a namespace of its own. The container is named by its full id. `shareable` (ipc only): own, and others may join it. */
export type NamespaceMode = 'host' | 'shareable' | `container:${string}`

export interface DnsConfig {
  /** Each list that is empty is taken from the host. `host-gateway` stands for the name servers of the container's networks. */
  readonly servers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

/** A line of /etc/hosts. `host-gateway` stands for the address that the host has on the container's network. */
export interface ExtraHost {
  readonly name: string
  readonly address: string
}

export interface Resources {
  /** Bytes; absent: no limit. */
  readonly memoryBytes?: number
  /** Memory and swap together; -1: no limit; absent: twice the memory. */
  readonly memorySwapBytes?: number
  /** What the kernel tries to come back to when memory is short. */
  readonly memoryReservationBytes?: number
  /** Weight against other containers; 1024 is the usual one. */
  readonly cpuShares?: number
  /** Lists as in `0-3,8`; absent: all. */
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  /** Thousandths of a CPU, e.g. 1500; absent: no limit. */
  readonly milliCpus?: number
  /** Processes; absent: no limit. */
  readonly pids?: number
}

/** Options that stand for themselves: absent is docker's default. */
export interface ContainerOptions {
  /** Of /dev/shm. */
  readonly shmBytes?: number
  readonly ulimits?: readonly Ulimit[]
  readonly sysctls?: Readonly<Record<string, string>>
  readonly devices?: readonly Device[]
  /** Groups, by name or number, in addition to the user's own. */
  readonly groupAdd?: readonly string[]
  /** Those of the image that list the user count also where `user` names a group. */
  readonly mergeGroups?: boolean
  readonly oomScoreAdj?: number
  readonly privileged?: boolean
  readonly security?: SecurityOptions
  readonly pidMode?: NamespaceMode
  readonly ipcMode?: NamespaceMode
  readonly utsMode?: NamespaceMode
  /** Run a small init as process 1, which reaps and forwards signals. */
  readonly init?: boolean
  readonly dns?: DnsConfig
  readonly extraHosts?: readonly ExtraHost[]
  readonly restart?: RestartPolicy
  /** It is restarted when it becomes unhealthy, whatever `restart` says. */
  readonly restartUnhealthy?: boolean
}

/** What a container is to its pod, which owns it. */
export interface PodRole {
  /** `infra` holds the namespaces that the others join. */
  readonly role: 'infra' | 'init' | 'main'
  /** In the pod's spec; empty for the infra container. */
  readonly name: string
  /** Counts from 0 how often it was made anew. */
  readonly attempt: number
  /** What is waited after its end before the next one is made; absent: nothing. */
  readonly restartDelayMs?: number
  /** As the pod's spec named it: when that changes, the container is made anew. */
  readonly image?: string
}

/** What was asked for, completed with defaults and with what the image says. */
export interface ContainerSpec extends ContainerOptions {
  /** The reference as normalised, `docker.io/library/alpine:latest`. */
  readonly image: string
  /** The wire's repository and reference of that image. */
  readonly imageRepository: string
  readonly imageReference: string
  /** The config digest of the image it was made from. */
  readonly imageId: Digest
  /** The layers' chainIds, bottom first. */
  readonly chainIds: readonly ChainId[]
  /** Its own, or that of its pod's infra container. */
  readonly sandboxId: string
  readonly pod?: PodRole
  /** argv: entrypoint and command. Never empty. */
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly workingDir: string
  /** As given: `uid`, `name`, `uid:gid`, `name:group` or empty; resolved in the root filesystem at each start. */
  readonly user: string
  readonly hostname: string
  readonly tty: boolean
  readonly openStdin: boolean
  /** Its stdin is closed when the first client that is attached to it ends its own, or goes. */
  readonly stdinOnce?: boolean
  readonly mounts: readonly Mount[]
  readonly tmpfs: readonly Tmpfs[]
  readonly resources: Resources
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly readOnlyRootfs: boolean
  readonly healthcheck?: Healthcheck
  readonly stopSignal: string
  readonly stopTimeoutMs: number
  readonly autoRemove: boolean
  /** Relative to the cgroup root; the container's own cgroup lies below. */
  readonly cgroupParent: string
  readonly runtime: string
}

/** What the probes of a pod's container make of its present run. */
export interface ProbeState {
  /** The startup probe has succeeded. */
  readonly started: boolean
  /** The readiness probe succeeds. */
  readonly ready: boolean
  /** The probe that wants the container to be ended, and why. */
  readonly failed?: 'startup' | 'liveness'
  readonly message?: string
}

/** Facts only; the state is computed from them by `containerState`. Times are ms. */
export interface ContainerStatus {
  /** Set when create has finished: all that outlives it is in place. */
  readonly preparedAt?: number
  /** Set before the first side effect of a start; cleared when its mounts, namespaces and rules are gone again. */
  readonly setUpAt?: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly pid?: number
  /** Its processes are frozen; cleared with the pid, too. */
  readonly pausedAt?: number
  /** Field 22 of /proc/pid/stat, and the boot it belongs to: a pid alone proves nothing. */
  readonly pidStartTime?: number
  readonly bootId?: string
  /** 128 + signal for a killed process. */
  readonly exitCode?: number
  readonly oomKilled?: boolean
  /** CamelCase and short: `Completed`, `Error`, `OOMKilled`, `StartError`, `LostExitCode`. */
  readonly reason?: string
  readonly message?: string
  /** A stop was asked for by a user. */
  readonly stopRequestedAt?: number
  /** A remove was asked for: it will be finished, whatever happens. */
  readonly removingAt?: number
  /** With it go the volumes that were made for it without a name. */
  readonly removingVolumes?: true
  /** By its policy, since a user has started it last. */
  readonly restartCount: number
  /** It has ended, and is started again then; set with its end, cleared with its start. */
  readonly nextRestartAt?: number
  /** Of its last run; absent where nothing probes it. */
  readonly health?: Health
  /** Absent: no probe has told anything yet. */
  readonly probes?: ProbeState
  /** Its pod has it ended to make it anew later, whatever the restart policy says: the pod is stopped, or its image has changed. */
  readonly isToRunAgain?: true
  /** What the last restart was waited for. */
  readonly restartDelayMs?: number
}

export type Container = StoredObject<ContainerSpec, ContainerStatus>

export type ContainerState = 'creating' | 'created' | 'running' | 'paused' | 'restarting' | 'stopped' | 'removing'

/**
 * The state, computed from the facts.
 *
 *                             paused
 *                              ▲  ▼
 *   creating ──► created ──► running ──► stopped
 *                               ▲  ▼        │ start
 *                          restarting ◄───── ┘ ... or when its policy says so
 *        removing ◄── from any state
 */
export function containerState(status: ContainerStatus): ContainerState {
  if (status.removingAt !== undefined) return 'removing'
  if (status.preparedAt === undefined) return 'creating'
  if (status.pid !== undefined && status.startedAt !== undefined) {
    return status.pausedAt === undefined ? 'running' : 'paused'
  }
  if (status.nextRestartAt !== undefined) return 'restarting'
  if (status.finishedAt !== undefined) return 'stopped'
  return 'created'
}

/** Of its cgroup, from the root of every hierarchy. */
export function cgroupPath({ metadata, spec }: Container): string {
  return `${spec.cgroupParent}/${metadata.uid}`
}

/** Whether it is a user's: what pods and bottles have is left alone by users' verbs. */
export function isUsersOwn({ metadata }: Container): boolean {
  return metadata.owner?.kind === 'Container'
}

/** Whether a pod has it. */
export function isOfPod({ spec }: Container): boolean {
  return spec.pod !== undefined
}

/** @throws {StatusError} `failed_precondition` unless the container may be started */
export function assertCanStart(name: string, status: ContainerStatus): void {
  const state = containerState(status)
  if (state === 'created' || state === 'stopped' || state === 'restarting') return
  const hint = state === 'paused' ? '; unpause it instead' : ''
  throw new StatusError('failed_precondition', `Cannot start container "${name}": it is ${describe(state)}${hint}`)
}

/** Whether its process exists, frozen or not. */
export function isAlive(status: ContainerStatus): boolean {
  return ['running', 'paused'].includes(containerState(status))
}

/** @throws {StatusError} `failed_precondition` unless the container runs and is not paused */
export function assertRunning(name: string, status: ContainerStatus, action: string): void {
  const state = containerState(status)
  if (state === 'running') return
  const hint = state === 'paused' ? '; unpause it first' : ', not running'
  throw new StatusError('failed_precondition', `Cannot ${action} container "${name}": it is ${describe(state)}${hint}`)
}

/** @throws {StatusError} `failed_precondition` unless the container has a process, be it paused */
export function assertAlive(name: string, status: ContainerStatus, action: string): void {
  if (!isAlive(status)) assertRunning(name, status, action)
}

function describe(state: ContainerState): string {
  return state === 'running' ? 'already running' : state === 'removing' ? 'being removed' : state
}
