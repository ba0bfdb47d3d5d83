/**
 * Raind's own API, /v1: containers, execs, images, networks, system.
 *
 * It keeps to the wire that Raind's clients know (types.ts), and answers every failure in the envelope with the
 * status that fits. It holds no rule of its own: a route parses, converts, makes one call, converts, answers.
 */
import type { Bottles } from '../../bottles/index.ts'
import type { Containers } from '../../containers/index.ts'
import type { Images } from '../../images/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Resources } from '../../resources/index.ts'
import type { Route } from '../http/route.ts'
import type { FrontEnd } from '../http/server.ts'
import { archiveRoutes } from './archives.ts'
import { bottleRoutes } from './bottles.ts'
import { containerRoutes } from './containers.ts'
import { docsRoutes } from './docs.ts'
import { errorReply } from './errors.ts'
import { type EventSource, eventRoutes } from './events.ts'
import { execRoutes } from './execs.ts'
import { imageRoutes } from './images.ts'
import { manifestRoutes } from './manifests.ts'
import { networkRoutes } from './networks.ts'
import { objectRoutes } from './objects.ts'
import { podRoutes } from './pods.ts'
import { policyRoutes } from './policies.ts'
import { replicaSetRoutes } from './replica-sets.ts'
import { serviceRoutes } from './services.ts'
import { statsRoutes } from './stats.ts'
import { streamRoutes } from './streams.ts'
import { type DaemonInfo, type SystemDeps, systemRoutes } from './system.ts'
import { volumeRoutes } from './volumes.ts'

export interface RaindDeps {
  readonly containers: Containers
  readonly images: Images
  readonly resources: Resources
  readonly bottles: Bottles
  /** Its events, and how its file is. */
  readonly store: EventSource & SystemDeps['store']
  readonly info: DaemonInfo
  /** The daemon's context: what changes the machine runs on it. */
  readonly ctx: Ctx
  /** What is served beside /v1, and documented with it. */
  readonly more: readonly Route[]
}

export function raindApi({ containers, images, resources, bottles, store, info, ctx, more }: RaindDeps): FrontEnd {
  const routes: readonly Route[] = [
    ...containerRoutes(containers, ctx),
    ...statsRoutes(containers),
    ...execRoutes(containers, ctx),
    ...streamRoutes(containers, ctx),
    ...imageRoutes(images, ctx),
    ...networkRoutes(containers, ctx),
    ...volumeRoutes(containers, ctx),
    ...bottleRoutes(bottles, containers, ctx),
    ...podRoutes(resources, containers),
    ...replicaSetRoutes(resources),
    ...serviceRoutes(resources),
    ...manifestRoutes(resources, ctx),
    ...objectRoutes(resources, store),
    ...policyRoutes(),
    ...eventRoutes(store),
    ...archiveRoutes(containers),
    ...systemRoutes({ containers, images, bottles, store, info, ctx }),
    ...more,
  ]
  return { routes: [...routes, ...docsRoutes(info.version, routes)], errorReply }
}

export type { WirePathStat, WireTop } from './archive-types.ts'
export type { WireBottle, WireBottleStep, WireBottleSummary, WireRegisteredBottle } from './bottle-types.ts'
export type { WireEvent } from './event-types.ts'
export type {
  PullBody,
  WireHistoryEntry,
  WireImage,
  WireImageInspect,
  WireImageStatus,
  WireImageUsage,
  WireProgress,
} from './image-types.ts'
export type {
  WireApplied,
  WireAppliedObject,
  WireDeleted,
  WireObjectDiff,
  WireObjectEvent,
  WireObjectName,
} from './kube-types.ts'
export type { WireNetwork, WireNetworkInspect } from './network-types.ts'
export type {
  WireConfigMapObject,
  WireEnvVar,
  WireNamespaceObject,
  WireObject,
  WireObjectChange,
  WirePodContainer,
  WirePodContainerState,
  WirePodContainerStatus,
  WirePodObject,
  WirePodPort,
  WireProbe,
  WireReplicaSetObject,
  WireSecretObject,
  WireServiceObject,
  WireVolumeMount,
  WireVolumeSource,
} from './object-types.ts'
export type { WirePruned } from './prune.ts'
export type { WireLinkStats, WireStats } from './stats-types.ts'
export type { DaemonInfo } from './system.ts'
export type {
  WireDaemon,
  WireDiskUsage,
  WireRuntime,
  WireSpace,
  WireSystemCheck,
  WireSystemInfo,
  WireSystemPruned,
} from './system-types.ts'
export type {
  CreateContainerBody,
  CreateExecBody,
  Envelope,
  ExecBody,
  Failure,
  Success,
  WireContainer,
  WireExec,
  WireExecResult,
  WireExecStarted,
  WireExit,
  WireForward,
  WireHealth,
  WireId,
  WireInspect,
  WireVersion,
} from './types.ts'
export type { WireVolume } from './volume-types.ts'
