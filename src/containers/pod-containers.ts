import type { Ctx } from '../lib/ctx.ts'
import type { Container, ContainerOptions, PodRole } from '../model/container.ts'
import type { Labels, Owner } from '../model/meta.ts'
import { joining } from '../model/namespace-mode.ts'
import type { PortMapping } from '../model/network.ts'
import { POD_LABELS } from '../model/pod-labels.ts'
import { lowestOomScore } from './assert-host-has.ts'
import { createIn } from './create.ts'
import type { Deps } from './deps.ts'
import { type NodeFacts, readNodeFacts } from './node-facts.ts'
import { ownedContainers } from './owned-containers.ts'
import { ensurePauseImage } from './pause-image.ts'
import { type PodVolume, preparePodVolumes, removePodVolumes } from './pod-volumes.ts'
import { mountPodVolumes, type PodVolumeMount } from './pod-volumes-mounts.ts'
import { type CommandResult, type ProbeTurns, runCommand } from './probe.ts'
import { removeContainer } from './remove.ts'
import { startHeld } from './start.ts'
import { makeTerminationLog, readTerminationLog, removeTerminationLog } from './termination-log.ts'
import type { AttachRequest, CreateContainer } from './types.ts'

/** The pod that containers are made for. */
export interface PodIdentity {
  readonly uid: string
  readonly name: string
  readonly namespace: string
}

/** What the containers of a pod have in common. */
export interface SandboxRequest {
  readonly pod: PodIdentity
  readonly attempt: number
  readonly restartDelayMs?: number
  readonly hostname: string
  /** The daemon's default network if absent. */
  readonly network?: AttachRequest
  readonly ports: readonly PortMapping[]
  readonly sysctls: Readonly<Record<string, string>>
  readonly hostIpc: boolean
}

export type MemberRequest = Omit<CreateContainer, 'name' | 'hostname' | 'networks' | 'ports' | 'mounts' | 'options'> & {
  readonly pod: PodIdentity
  readonly role: PodRole
  readonly options: Omit<ContainerOptions, 'utsMode' | 'ipcMode' | 'pidMode' | 'sysctls'>
  /** Of the pod's volumes, which are prepared. */
  readonly volumeMounts: readonly PodVolumeMount[]
  /** Where it finds a file to say in why it ends. */
  readonly terminationMessagePath: string
  /** See the processes of the whole pod, or of the host. */
  readonly processes?: 'pod' | 'host'
}

/** The containers of pods, which users' verbs leave alone: what CRI calls RuntimeService. Each verb is whole or undone. */
export interface PodContainers {
  /** All of them that there are, in order of creation. */
  list(podUid: string): Container[]
  /** A new sandbox: its infra container, running. What fails leaves nothing. */
  runSandbox(ctx: Ctx, request: SandboxRequest): Promise<Container>
  /** A container in a sandbox that runs, not started yet. The image must be there. */
  create(ctx: Ctx, infra: Container, request: MemberRequest): Promise<Container>
  start(ctx: Ctx, id: string): Promise<Container>
  /** Resolves when it does not run (any more). It is killed when `grace` ends. */
  stop(ctx: Ctx, id: string, grace: AbortSignal): Promise<void>
  /**
   * Runs a command in a container, as its own process runs, in its turn: few begin at once. The time (none if absent) or
   * the end of the context ends it, with all that it has begun. Never rejects.
   */
  probe(ctx: Ctx, id: string, command: readonly string[], timeoutMs?: number): Promise<CommandResult>
  /** What a container that has ended says of it, or with `orLog` what it has written last; empty if nothing. */
  terminationMessage(ctx: Ctx, container: Container, orLog: boolean): Promise<string>
  /** Idempotent, whatever its state. */
  remove(ctx: Ctx, id: string): Promise<void>
  /** Makes a pod's volumes what they are to be; the pod's record owns them. @throws {StatusError} with `details.reason` */
  prepareVolumes(ctx: Ctx, podUid: string, volumes: readonly PodVolume[]): Promise<void>
  /** All that a pod, whose containers are gone, has of its own on disk and in memory. Idempotent. */
  removeVolumes(ctx: Ctx, podUid: string): Promise<void>
  /** Bytes on disk of a volume of its own. */
  measureVolume(ctx: Ctx, podUid: string, name: string): Promise<number>
  /** What of this machine goes into containers of pods. */
  node(): Promise<NodeFacts>
}

export function podContainers(deps: Deps, turns: ProbeTurns): PodContainers {
  const { store, locks, paths } = deps
  const owned = ownedContainers(deps)
  return {
    list: owned.list,
    start: (ctx, id) => owned.start(ctx, id),
    stop: (ctx, id, grace) => owned.stop(ctx, id, { grace }),

    async runSandbox(ctx, request) {
      const { restartDelayMs } = request
      const infra = await createIn(ctx, deps, infraRequest(deps, request, await ensurePauseImage(ctx, deps)), {
        owner: ownerOf(request.pod),
        pod: {
          role: 'infra',
          name: '',
          attempt: request.attempt,
          ...(restartDelayMs !== undefined && { restartDelayMs }),
        },
      })
      const { uid } = infra.metadata
      using _lock = await locks.hold(ctx, uid)
      try {
        return await startHeld(ctx, deps, uid)
      } catch (error) {
        await removeContainer(ctx, deps, uid).catch((undo) =>
          deps.log.error('an infra container that did not start is removed later', { containerId: uid, error: undo }),
        )
        throw error
      }
    },

    async create(ctx, infra, { pod, role, processes, options, volumeMounts, terminationMessagePath, ...request }) {
      const infraId = infra.metadata.uid
      const pidMode = processes === 'pod' ? joining(infraId) : processes
      const joined = {
        utsMode: joining(infraId),
        ipcMode: infra.spec.ipcMode === 'host' ? ('host' as const) : joining(infraId),
        ...(pidMode !== undefined && { pidMode }),
      }
      const place = { podUid: pod.uid, container: role.name, attempt: role.attempt }
      const mounts = [
        await makeTerminationLog(paths, place, terminationMessagePath),
        ...(await mountPodVolumes(ctx, deps, place, volumeMounts)),
      ]
      return await createIn(
        ctx,
        deps,
        {
          ...request,
          mounts,
          name: nameOf(pod, role),
          labels: { ...request.labels, ...labelsOf(pod, role.name) },
          networks: [],
          options: { ...options, ...joined, ...possibleScore(deps, options.oomScoreAdj ?? 0) },
        },
        { owner: ownerOf(pod), pod: role, sandboxId: infra.spec.sandboxId },
      )
    },

    async probe(ctx, id, args, timeoutMs) {
      const container = store.read((tx) => tx.getByUid('Container', id))
      if (container === undefined) return { exitCode: -1, output: 'The container is gone', notRun: true }
      return await turns(() => runCommand(ctx, deps, container, { args, timeoutMs }))
    },

    terminationMessage: (ctx, container, orLog) => readTerminationLog(ctx, deps, container, orLog),

    async remove(ctx, id) {
      const container = store.read((tx) => tx.getByUid('Container', id))
      await owned.remove(ctx, id)
      if (container !== undefined) await removeTerminationLog(paths, container)
    },

    prepareVolumes: (ctx, podUid, volumes) => preparePodVolumes(ctx, deps, podUid, volumes),
    removeVolumes: (ctx, podUid) => removePodVolumes(ctx, deps, podUid),
    measureVolume: (ctx, podUid, name) => deps.snapshots.measureTree(ctx, paths.podVolume(podUid, name)),
    node: () => readNodeFacts(deps),
  }
}

function infraRequest(deps: Deps, request: SandboxRequest, image: string) {
  const { pod, attempt, hostname, network, ports, sysctls, hostIpc } = request
  return {
    image,
    name: nameOf(pod, { role: 'infra', name: 'POD', attempt }),
    hostname,
    labels: labelsOf(pod, 'POD'),
    ...(network !== undefined && { networks: [network] }),
    ports,
    readOnlyRootfs: true,
    capDrop: ['ALL'],
    stopSignal: 'SIGKILL',
    options: {
      ipcMode: hostIpc ? 'host' : 'shareable',
      sysctls,
      ...possibleScore(deps, INFRA_OOM_SCORE),
      security: { noNewPrivileges: true },
    },
  } satisfies CreateContainer
}

/** What protects a container is a wish: where the host cannot give it, the container runs without. */
function possibleScore({ runtime }: Deps, wanted: number): { oomScoreAdj: number } {
  return { oomScoreAdj: Math.max(wanted, lowestOomScore(runtime.host)) }
}

/** As kubelet has it: it is killed last. */
const INFRA_OOM_SCORE = -998

/** No user's container has one of these by accident: names of Kubernetes have no underscore. */
function nameOf({ name, namespace }: PodIdentity, { name: container, attempt }: PodRole): string {
  return `${name}_${namespace}_${container}_${attempt}`
}

function labelsOf({ uid, name, namespace }: PodIdentity, container: string): Labels {
  const { name: ofName, namespace: ofNamespace, uid: ofUid, container: ofContainer } = POD_LABELS
  return { [ofName]: name, [ofNamespace]: namespace, [ofUid]: uid, [ofContainer]: container }
}

function ownerOf({ uid }: PodIdentity): Owner {
  return { frontEnd: 'kubernetes', kind: 'Pod', uid }
}
