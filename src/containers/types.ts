import type { Writable } from 'node:stream'
import type { PullOptions } from '../images/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { HistogramData } from '../lib/histogram.ts'
import type {
  Container,
  ContainerOptions,
  ContainerState,
  Mount,
  PodRole,
  Resources,
  Tmpfs,
} from '../model/container.ts'
import type { CheckedFinding } from '../model/finding.ts'
import type { HealthcheckOptions } from '../model/healthcheck.ts'
import type { LabelTerm } from '../model/label-term.ts'
import type { Labels, Owner } from '../model/meta.ts'
import type { Network, PortMapping, Sandbox } from '../model/network.ts'
import type { Pruned, PruneFilter } from '../model/prune.ts'
import type { RestartPolicy } from '../model/restart-policy.ts'
import type { TerminalSize } from '../model/terminal-size.ts'
import type { VolumeRequest, VolumesFrom } from '../model/volume.ts'
import type { OutputStream } from '../runtime/index.ts'
import type { ContainerFiles } from './files.ts'
import type { HealthReport } from './health.ts'
import type { OwnedContainers } from './owned-containers.ts'
import type { PodContainers } from './pod-containers.ts'
import type { ProcessTable } from './top.ts'
import type { ContainerStats } from './usage-sampler.ts'
import type { Volumes } from './volume-types.ts'

/** What a front end asks for. What is absent comes from the image, then from the daemon's defaults. */
export interface CreateContainer {
  readonly image: string
  /** Generated if absent. */
  readonly name?: string
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  /** `K=V`, over the image's. */
  readonly env?: readonly string[]
  readonly workingDir?: string
  readonly user?: string
  readonly hostname?: string
  readonly labels?: Labels
  readonly tty?: boolean
  readonly openStdin?: boolean
  /** Close its stdin with that of the first attached client. */
  readonly stdinOnce?: boolean
  /** `hostPort` 0 asks for a free one, chosen at each start. */
  readonly ports?: readonly PortMapping[]
  /** Over `volumesFrom`, and these over the volumes of the image. */
  readonly mounts?: readonly (Mount | VolumeRequest)[]
  readonly volumesFrom?: readonly VolumesFrom[]
  readonly tmpfs?: readonly Tmpfs[]
  /** The daemon's default network if absent; `host` and `none` go alone. The first gives the default route. */
  readonly networks?: readonly AttachRequest[]
  readonly resources?: Resources
  readonly capAdd?: readonly string[]
  readonly capDrop?: readonly string[]
  readonly readOnlyRootfs?: boolean
  /** Containers whose namespaces are joined may be given by any reference. */
  readonly options?: ContainerOptions
  readonly healthcheck?: HealthcheckOptions
  readonly stopSignal?: string
  readonly stopTimeoutMs?: number
  readonly autoRemove?: boolean
  /** For the pull, should one be needed; never stored. */
  readonly auth?: PullOptions['auth']
}

/** Where a container is made that is no user's own. */
export interface ContainerPlace {
  readonly owner: Owner
  /** Of a pod's. */
  readonly pod?: PodRole
  /** The sandbox whose published ports it will take over. */
  readonly portsOf?: string
  /** The sandbox that it joins; absent: it gets one of its own, which others can join. */
  readonly sandboxId?: string
}

export interface ContainerUpdate {
  readonly resources?: Resources
  readonly restart?: RestartPolicy
}

export interface AttachRequest {
  readonly network: string
  /** Other names of the container in that network. */
  readonly aliases?: readonly string[]
  /** The next free one if absent. */
  readonly address?: string
  /** The same of IPv6; only on a network that has it. */
  readonly address6?: string
}

export interface CreateNetwork {
  readonly name: string
  /** CIDR text; a free one of the daemon's subnet if absent. */
  readonly subnet?: string
  readonly gateway?: string
  /** Whether it has IPv6 too. A subnet asks for it. */
  readonly ipv6?: boolean
  /** CIDR text; a free one of the daemon's own prefix if absent. */
  readonly subnet6?: string
  /** The first address if absent. */
  readonly gateway6?: string
  /** That of the link of the host's default route if absent. */
  readonly mtu?: number
  readonly labels?: Labels
}

export interface ContainerFilter {
  /** `false`: without the infra containers of pods. */
  readonly infra?: false
  readonly states?: readonly ContainerState[]
  /** Beginnings of ids. */
  readonly ids?: readonly string[]
  /** Parts of names; `^` and `$` at their ends mean those of the name. */
  readonly names?: readonly string[]
  readonly labels?: readonly LabelTerm[]
  /** References or ids; those that name no image here match containers that were made by them. */
  readonly images?: readonly string[]
  readonly networks?: readonly string[]
  /** Of those that have ended. */
  readonly exitCodes?: readonly number[]
}

export interface NetworkFilter {
  /** As of containers. */
  readonly names?: readonly string[]
  readonly labels?: readonly LabelTerm[]
  /** Whether no container is attached. */
  readonly unused?: boolean
}

export interface ContainerUsage {
  readonly container: Container
  /** On disk: what it has written into its root filesystem. */
  readonly writableBytes: number
  /** Of its logs, the rotated ones included. */
  readonly logBytes: number
}

export interface ExitResult {
  readonly exitCode: number
  readonly oomKilled: boolean
}

/** A process run in a running container by exec; kept for five minutes after its end, and not across restarts. */
export interface ExecRecord {
  readonly id: string
  readonly containerId: string
  readonly command: readonly string[]
  readonly tty: boolean
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly pid?: number
  readonly exitCode?: number
}

export interface CreateExec {
  readonly command: readonly string[]
  /** `K=V`, over the container's. */
  readonly env?: readonly string[]
  readonly user?: string
  readonly workingDir?: string
  /** Give it a terminal. */
  readonly tty?: boolean
  /** Of the terminal. */
  readonly size?: TerminalSize
  /** Give it an input; one with a terminal has it anyway. */
  readonly stdin?: boolean
  /** Begin at once, for whoever starts it next; hung up if nobody does. */
  readonly start?: boolean
}

/** The bytes are the reader's until he asks for the next chunk. */
export interface OutputChunk {
  readonly stream: OutputStream
  readonly bytes: Uint8Array
}

/**
 * A process, live: what attach and exec give. Front ends only frame it. Disposing leaves the process to itself.
 */
export interface Session extends Disposable {
  readonly tty: boolean
  /** Absent if the process has none, or it was not asked for. Ending it is the end of file for the process. */
  readonly stdin?: Writable
  /**
   * What the process writes, in order; to be read once. An exec waits for its reader, as at any pipe.
   * @throws {StatusError} of an attach: `resource_exhausted` for a reader that is too slow
   */
  readonly output: AsyncIterable<OutputChunk>
  /** Of its terminal; nothing happens without one. */
  resize(size: TerminalSize): Promise<void>
  /**
   * Of an exec, whose client has gone without a word: as at a terminal that is pulled out, or a pipe whose reader has
   * ended. The process gets SIGHUP, or SIGPIPE at its next output.
   */
  hangUp?(): void
  /** Rejects when the caller's context ends before. */
  readonly exit: Promise<{ readonly exitCode: number }>
}

export interface RemoveOptions {
  readonly force?: boolean
  readonly volumes?: boolean
}

export interface AttachOptions {
  /** Whether what comes in goes to the container. */
  readonly stdin: boolean
  /** Give what it has written before, from its log, and then what it writes. */
  readonly logs?: boolean
  /** A container that does not run yet: wait for its start, and miss nothing. */
  readonly wait?: boolean
}

export interface LogOptions {
  /** From the end; Infinity for all. */
  readonly tailLines: number
  /** Go on until the container ends. */
  readonly follow?: boolean
  /** ms; what was written before is left out. */
  readonly since?: number
  /** ms; what was written later is left out. */
  readonly until?: number
}

/** A piece of a log: a line, or a part of one. */
export interface LogPiece extends OutputChunk {
  /** RFC 3339, with ns. */
  readonly time: string
  /** Whether a line begins with it. */
  readonly startsLine: boolean
}

/** `ref` is a full id, an exact name or a unique prefix of an id, in this order. */
export interface Containers extends AsyncDisposable {
  create(ctx: Ctx, request: CreateContainer): Promise<Container>
  start(ctx: Ctx, ref: string): Promise<Container>
  /** SIGTERM (or the container's stop signal), then SIGKILL when the time is up; `changed` is false if it did not run. */
  stop(
    ctx: Ctx,
    ref: string,
    options?: { timeoutMs?: number; signal?: string },
  ): Promise<{ container: Container; changed: boolean }>
  /** Stops it if it runs, and starts it. */
  restart(ctx: Ctx, ref: string, options?: { timeoutMs?: number; signal?: string }): Promise<Container>
  /** Starts it again if its restart is due, by its policy. */
  restartDue(ctx: Ctx, id: string): Promise<void>
  /** Ends it, so that it is restarted, if it is unhealthy and that is asked for. */
  endUnhealthy(ctx: Ctx, id: string): Promise<void>
  /** Begins or ends to probe its health, as its state wants it. */
  syncHealth(id: string): void
  healthReport(container: Container): HealthReport
  kill(ctx: Ctx, ref: string, signal: string): Promise<Container>
  /** Freezes its processes. */
  pause(ctx: Ctx, ref: string): Promise<Container>
  unpause(ctx: Ctx, ref: string): Promise<Container>
  rename(ctx: Ctx, ref: string, name: string): Promise<Container>
  /** Changes what is given; limits at once if it runs. */
  update(ctx: Ctx, ref: string, changes: ContainerUpdate): Promise<Container>
  /** Resolves when the container does not run (any more). */
  wait(ctx: Ctx, ref: string): Promise<ExitResult>
  /** Removes those that do not run. */
  prune(ctx: Ctx, filter?: PruneFilter): Promise<Pruned>
  /** What each has on disk. */
  usage(ctx: Ctx): Promise<ContainerUsage[]>
  /** With `volumes` also those that were made for it without a name, unless another container uses them. */
  remove(ctx: Ctx, ref: string, options?: RemoveOptions): Promise<void>
  find(ref: string): Container
  list(filter?: ContainerFilter): Container[]
  sandboxOf(container: Container): Sandbox
  /** Sandboxes of all containers by uid: for lists. */
  sandboxes(): ReadonlyMap<string, Sandbox>
  networks(filter?: NetworkFilter): Network[]
  createNetwork(ctx: Ctx, request: CreateNetwork): Promise<Network>
  removeNetwork(ctx: Ctx, name: string): Promise<void>
  /** Removes those that no container is attached to. */
  pruneNetworks(ctx: Ctx, filter?: PruneFilter): Promise<Pruned>
  /** At once if the container runs. */
  connect(ctx: Ctx, ref: string, request: AttachRequest): Promise<void>
  disconnect(ctx: Ctx, ref: string, network: string): Promise<void>
  readLog(ctx: Ctx, ref: string, options: { tailLines: number }): Promise<AsyncIterable<Uint8Array>>
  logPath(ref: string): string
  createExec(ctx: Ctx, ref: string, options: CreateExec): ExecRecord
  /** Pieces as they were written, the streams by turns. */
  followLog(ctx: Ctx, ref: string, options: LogOptions): AsyncIterable<readonly LogPiece[]>
  /** To the streams of a container that runs. */
  attach(ctx: Ctx, ref: string, options: AttachOptions): Promise<Session>
  /** Of its terminal. */
  resize(ctx: Ctx, ref: string, size: TerminalSize): Promise<void>
  /** Also of one that was begun with its creation. */
  startExec(ctx: Ctx, execId: string): Promise<Session>
  /** Of one that was begun with its creation, and that nobody has taken yet. */
  takeBegunExec(execId: string): Promise<Session> | undefined
  /** Starts an exec for which `takeUnclaimedExec` will be called. */
  startUnclaimedExec(ctx: Ctx, execId: string): Promise<void>
  /** Of the execs with a terminal that were started so in this container, the newest that nobody has taken yet. */
  takeUnclaimedExec(ref: string): Session
  resizeExec(execId: string, size: TerminalSize): void
  signalExec(execId: string, signal: string): Promise<void>
  findExec(execId: string): ExecRecord
  /** Of the successful starts since the daemon's own, in seconds. */
  startDurations(): HistogramData
  /**
   * What these containers use now; all that run if none is named. A load is measured since the last look of anybody in
   * the last minute, or since the start.
   */
  stats(refs?: readonly string[]): Promise<readonly ContainerStats[]>
  /** The same at once, and then every second; who is slow misses some. Throws at once for a bad reference. */
  followStats(ctx: Ctx, refs?: readonly string[]): AsyncIterable<readonly ContainerStats[]>
  readonly volumes: Volumes
  readonly pods: PodContainers
  readonly owned: OwnedContainers
  readonly files: ContainerFiles
  /** Its processes, as seen from the host. @throws {StatusError} `failed_precondition` if it does not run */
  top(ref: string): Promise<ProcessTable>
  /** Boot: adopts what runs, settles what ended meanwhile, finishes what was half done. */
  recover(ctx: Ctx): Promise<void>
  /** The rest of it, which nobody who asks has to wait for: whether what runs has the links that it should have. */
  recoverLinks(ctx: Ctx): Promise<void>
  /** Where records, kernel and disk disagree; with `repair` what can be mended is. Safe at any time. */
  check(ctx: Ctx, options?: { readonly repair?: boolean }): Promise<CheckedFinding[]>
  /** What the last check has found and not mended. */
  problems(): readonly CheckedFinding[]
}
