/**
 * Containers and the sandboxes they live in: create, start, stop, kill, wait, remove, exec, logs, recovery.
 *
 * Guarantees: a verb is whole or undone, also across a kill of the daemon (the record is written before the first
 * side effect and deleted after the last); one mutation at a time a container; running containers outlive the daemon.
 */
export { AttachWaiters } from './attach-waiters.ts'
export { createContainers } from './containers.ts'
export { type ContainerDefaults, containerPaths, type Deps, type Paths } from './deps.ts'
export { dnsRecords } from './dns-records.ts'
export { ExitWaiters } from './exit-waiters.ts'
export type { ContainerFiles } from './files.ts'
export type { HealthReport } from './health.ts'
export { LogRotation } from './log-rotation.ts'
export { ensureDefaultNetwork } from './networks.ts'
export type { NodeFacts } from './node-facts.ts'
export type { HeirOptions, OwnedContainers } from './owned-containers.ts'
export type { MemberRequest, PodContainers, SandboxRequest } from './pod-containers.ts'
export type { PodVolume } from './pod-volumes.ts'
export type { PodVolumeMount } from './pod-volumes-mounts.ts'
export type { ProcessTable } from './top.ts'
export type {
  AttachOptions,
  AttachRequest,
  ContainerFilter,
  Containers,
  ContainerUpdate,
  ContainerUsage,
  CreateContainer,
  CreateExec,
  CreateNetwork,
  ExecRecord,
  ExitResult,
  LogOptions,
  LogPiece,
  NetworkFilter,
  OutputChunk,
  Session,
} from './types.ts'
export type { ContainerStats } from './usage-sampler.ts'
export type { CreateVolume, VolumeFilter, VolumeUsage, VolumeView } from './volume-types.ts'
