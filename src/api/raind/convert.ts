import type { ContainerFilter, CreateContainer, CreateExec, ExecRecord } from '../../containers/index.ts'
import type { ImageStatus, ImageUsage, PullProgress } from '../../images/index.ts'
import { StatusError } from '../../lib/errors.ts'
import { parseCapability } from '../../model/capability.ts'
import { type Container, containerState, type Resources } from '../../model/container.ts'
import type { Image } from '../../model/image.ts'
import { parseMount } from '../../model/mount.ts'
import { shortId } from '../../model/names.ts'
import type { Network, Sandbox } from '../../model/network.ts'
import { parsePort } from '../../model/port.ts'
import { milliCpus, parseBytes } from '../../model/quantity.ts'
import { parseSignal } from '../../model/signal.ts'
import { parseTmpfs } from '../../model/tmpfs.ts'
import type {
  CreateContainerBody,
  CreateExecBody,
  ListQuery,
  WireContainer,
  WireExec,
  WireForward,
  WireImage,
  WireImageStatus,
  WireImageUsage,
  WireInspect,
  WireNetwork,
  WireProgress,
} from './types.ts'

/** What an unset time looks like (Go's zero time). */
const NO_TIME = '0001-01-01T00:00:00Z'
/** Below this no process starts (the same limit as docker's). */
const MIN_MEMORY_BYTES = 6 * 1024 * 1024

/** ms to RFC 3339. */
export function wireTime(ms: number | undefined): string {
  return ms === undefined || ms === 0 ? NO_TIME : new Date(ms).toISOString()
}

export function wireContainer({ metadata, spec, status }: Container, sandbox: Sandbox | undefined): WireContainer {
  const state = containerState(status)
  const ended = state === 'stopped'
  return {
    containerId: shortId(metadata.uid),
    name: metadata.name,
    state,
    pid: state === 'running' ? status.pid! : 0,
    imageRepository: withSlash(spec.imageRepository),
    imageReference: spec.imageReference,
    command: orNull(spec.args),
    address: sandbox?.spec.attachments[0]?.addresses[0]?.split('/')[0] ?? '',
    forwards: orNull(sandbox === undefined ? [] : forwards(sandbox)),
    creatingAt: wireTime(metadata.createdAt),
    createdAt: wireTime(status.preparedAt),
    statedAt: wireTime(status.startedAt),
    stoppedAt: wireTime(state === 'running' ? undefined : status.finishedAt),
    ...(ended && status.exitCode !== undefined && { exitCode: status.exitCode }),
    ...(ended && status.reason !== undefined && { reason: status.reason }),
    ...(ended && status.message !== undefined && { message: status.message }),
  }
}

/** The ports in force; before the first start those asked for. */
function forwards({ spec, status }: Sandbox): WireForward[] {
  return (status.ports ?? spec.ports).map(({ hostIp, hostPort, containerPort, protocol }) => ({
    source: hostPort,
    destination: containerPort,
    protocol,
    hostIp,
  }))
}

export function wireInspect(container: Container, sandbox: Sandbox): WireInspect {
  return { ...container, state: containerState(container.status), sandbox }
}

export function wireExec(record: ExecRecord): WireExec {
  const running = record.startedAt !== undefined && record.finishedAt === undefined
  return {
    execId: record.id,
    containerId: shortId(record.containerId),
    command: record.command,
    running,
    pid: running ? (record.pid ?? 0) : 0,
    exitCode: record.exitCode ?? null,
    createdAt: wireTime(record.createdAt),
    startedAt: wireTime(record.startedAt),
    finishedAt: wireTime(record.finishedAt),
  }
}

export function wireImage({ metadata, spec }: Image): WireImage {
  return {
    repository: withSlash(spec.repository),
    reference: spec.reference,
    createdAt: wireTime(metadata.createdAt),
    sizeBytes: spec.layers.reduce((sum, layer) => sum + layer.size, spec.config.size),
  }
}

export function wireImageStatus(status: ImageStatus): WireImageStatus {
  return {
    repository: status.repository,
    reference: status.reference,
    id: status.id,
    repoTags: orNull(status.repoTags),
    repoDigests: orNull(status.repoDigests),
    sizeBytes: status.sizeBytes,
    createdAt: wireTime(status.createdAt),
    user: status.user,
  }
}

export function wireImageUsage({ repository, reference, usedBytes }: ImageUsage): WireImageUsage {
  return { image: `${repository}:${reference}`, usedBytes }
}

export function wireProgress(progress: PullProgress): WireProgress {
  return progress.type === 'done' ? { type: 'done', image: progress.image.metadata.name } : progress
}

export function wireNetwork({ metadata, spec }: Network, containers: number): WireNetwork {
  const prefix = spec.subnet.split('/')[1]
  return { Interface: metadata.name, Address: `${spec.gateway}/${prefix}`, NumContainers: containers }
}

/** @throws {StatusError} `invalid_argument`; `unimplemented` for what is not there yet */
export function toCreateContainer(body: CreateContainerBody): CreateContainer {
  if (body.podId) throw new StatusError('unimplemented', 'Containers cannot join a pod yet: leave "podId" out')
  if (body.stopSignal !== undefined) parseSignal(body.stopSignal)
  const { image, labels, tty, autoRemove, auth } = body
  const { port = [], mount = [], tmpfs = [], capAdd = [], capDrop = [] } = body
  return withoutUndefined({
    image,
    name: body.name || undefined,
    ...toArgv(body),
    env: body.env,
    workingDir: body.workdir,
    user: body.user,
    hostname: body.hostname,
    labels,
    tty,
    openStdin: tty,
    ports: port.map(parsePort),
    mounts: mount.map(parseMount),
    tmpfs: tmpfs.map(parseTmpfs),
    network: body.network || undefined,
    resources: toResources(body),
    capAdd: capAdd.map(parseCapability),
    capDrop: capDrop.map(parseCapability),
    readOnlyRootfs: body.readOnly,
    stopSignal: body.stopSignal,
    stopTimeoutMs: body.stopTimeout === undefined ? undefined : Math.round(body.stopTimeout * 1000),
    autoRemove,
    auth,
  })
}

/** To what docker calls entrypoint and command; an empty list counts as absent, except that of `entrypoint`. */
function toArgv({ entrypoint, command = [], args = [] }: CreateContainerBody) {
  if (entrypoint === undefined && command.length === 0) return { command: args.length > 0 ? args : undefined }
  return { entrypoint: entrypoint ?? [], command: [...command, ...args] }
}

function toResources({ memory, cpus, pids }: CreateContainerBody): Resources {
  const memoryBytes = typeof memory === 'string' ? parseBytes('memory limit', memory) : memory
  if (memoryBytes !== undefined && memoryBytes !== 0 && memoryBytes < MIN_MEMORY_BYTES) {
    throw new StatusError('invalid_argument', `Invalid memory limit "${memory}": no container starts with less than 6m`)
  }
  return withoutUndefined({
    memoryBytes: memoryBytes || undefined,
    milliCpus: cpus ? milliCpus(cpus) : undefined,
    pids,
  })
}

/** Without a filter /v1 lists all; `all=false` is short for `state=running`. */
export function toContainerFilter({ all = true, label, name, state }: ListQuery): ContainerFilter {
  return withoutUndefined({
    labels: label && Object.fromEntries(label.map((pair) => splitOnce(pair, '='))),
    names: name,
    states: state ?? (all ? undefined : ['running']),
  })
}

export function toCreateExec({ command, env, user, workdir }: CreateExecBody): CreateExec {
  return withoutUndefined({ command, env, user, workingDir: workdir })
}

/** The public CLI shows what is behind the slash, and fails where there is none. */
function withSlash(repository: string): string {
  return repository.includes('/') ? repository : `library/${repository}`
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return [text.slice(0, at), text.slice(at + separator.length)]
}

/** Drops the keys that are undefined: absent and undefined mean the same to a reader, but not in a stored object. */
function withoutUndefined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never
}
