import type {
  AttachRequest,
  ContainerFilter,
  CreateContainer,
  CreateExec,
  ExecRecord,
  HealthReport,
  LogOptions,
} from '../../containers/index.ts'
import { StatusError } from '../../lib/errors.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import { parseCapability } from '../../model/capability.ts'
import { type Container, containerState, isAlive, isOfPod } from '../../model/container.ts'
import type { CheckedFinding } from '../../model/finding.ts'
import { parseLabelTerm } from '../../model/label-term.ts'
import { parseMount, parseVolumesFrom } from '../../model/mount.ts'
import { shortId } from '../../model/names.ts'
import type { PortMapping, Sandbox } from '../../model/network.ts'
import { parsePorts } from '../../model/port.ts'
import { parseSignal } from '../../model/signal.ts'
import { terminalSize } from '../../model/terminal-size.ts'
import { parseTmpfs } from '../../model/tmpfs.ts'
import { toOptions, toResources } from './container-options.ts'
import { toHealthcheck } from './healthcheck.ts'
import type {
  CreateContainerBody,
  CreateExecBody,
  ListQuery,
  LogQuery,
  StopQuery,
  WireContainer,
  WireExec,
  WireForward,
  WireInspect,
} from './types.ts'

/** What an unset time looks like (Go's zero time). */
const NO_TIME = '0001-01-01T00:00:00Z'

/** ms to RFC 3339. */
export function wireTime(ms: number | undefined): string {
  return ms === undefined || ms === 0 ? NO_TIME : new Date(ms).toISOString()
}

export function wireContainer(container: Container, sandbox: Sandbox | undefined): WireContainer {
  const { metadata, spec, status } = container
  const state = containerState(status)
  const ended = state === 'stopped' || state === 'restarting'
  // The address and the ports of a pod are those of its infra container.
  const own = spec.pod === undefined || spec.pod.role === 'infra' ? sandbox : undefined
  const [address, address6] = [addressOf(own, 0), addressOf(own, 1)]
  return {
    containerId: shortId(metadata.uid),
    name: metadata.name,
    ...(isOfPod(container) && { podId: metadata.owner!.uid }),
    state,
    ...(isAlive(status) && status.health && { health: status.health.status }),
    pid: isAlive(status) ? status.pid! : 0,
    imageRepository: withSlash(spec.imageRepository),
    imageReference: spec.imageReference,
    command: orNull(spec.args),
    address: address ?? '',
    ...(address6 !== undefined && { address6 }),
    forwards: orNull(own === undefined ? [] : forwards(own)),
    creatingAt: wireTime(metadata.createdAt),
    createdAt: wireTime(status.preparedAt),
    statedAt: wireTime(status.startedAt),
    stoppedAt: wireTime(isAlive(status) ? undefined : status.finishedAt),
    ...(ended && status.exitCode !== undefined && { exitCode: status.exitCode }),
    ...(ended && status.reason !== undefined && { reason: status.reason }),
    ...(ended && status.message !== undefined && { message: status.message }),
  }
}

/** IPv4 comes first. */
function addressOf(sandbox: Sandbox | undefined, index: 0 | 1): string | undefined {
  return sandbox?.spec.attachments[0]?.addresses[index]?.split('/')[0]
}

/** The ports in force; before the first start those asked for. */
function forwards({ spec, status }: Sandbox): WireForward[] {
  return (status.ports ?? spec.ports).map(({ hostIp, hostPort, containerPort, protocol }) => ({
    source: hostPort,
    destination: containerPort,
    protocol,
    hostIp: hostIp === '' ? '0.0.0.0' : hostIp,
  }))
}

export function wireInspect(
  container: Container,
  sandbox: Sandbox,
  { report, problems = [] }: { report?: HealthReport; problems?: readonly CheckedFinding[] } = {},
): WireInspect {
  const { metadata, spec, status } = container
  const own = problems.filter(({ containerId }) => containerId === metadata.uid).map(({ problem }) => problem)
  const health = spec.healthcheck && report && { status: status.health?.status ?? ('none' as const), ...report }
  return {
    ...container,
    state: containerState(status),
    sandbox,
    ...(health && { health }),
    ...(own.length > 0 && { problems: own }),
  }
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
    openStdin: body.openStdin ?? tty,
    stdinOnce: body.stdinOnce,
    ports: toPorts(port),
    mounts: mount.map(parseMount),
    volumesFrom: body.volumesFrom?.map(parseVolumesFrom),
    tmpfs: tmpfs.map(parseTmpfs),
    networks: toNetworks(body),
    resources: toResources(body),
    options: toOptions(body),
    capAdd: capAdd.map(parseCapability),
    capDrop: capDrop.map(parseCapability),
    readOnlyRootfs: body.readOnly,
    healthcheck: body.healthcheck && toHealthcheck(body.healthcheck),
    stopSignal: body.stopSignal,
    stopTimeoutMs: body.stopTimeout === undefined ? undefined : Math.round(body.stopTimeout * 1000),
    autoRemove,
    auth,
  })
}

const MAX_PORTS = 4096

function toPorts(texts: readonly string[]): readonly PortMapping[] {
  const ports = texts.flatMap(parsePorts)
  if (ports.length <= MAX_PORTS) return ports
  throw new StatusError('invalid_argument', `Cannot publish ${ports.length} ports: at most ${MAX_PORTS} are possible`)
}

/** `network` is the contract's; `networks` says more. */
function toNetworks({ network, networks }: CreateContainerBody): readonly AttachRequest[] | undefined {
  if (networks === undefined) return network ? [{ network }] : undefined
  if (network) throw new StatusError('invalid_argument', 'Give "network" or "networks", not both')
  return networks.length === 0 ? undefined : networks
}

/** To what docker calls entrypoint and command; an empty list counts as absent, except that of `entrypoint`. */
function toArgv({ entrypoint, command = [], args = [] }: CreateContainerBody) {
  if (entrypoint === undefined && command.length === 0) return { command: args.length > 0 ? args : undefined }
  return { entrypoint: entrypoint ?? [], command: [...command, ...args] }
}

export function toStopOptions({ timeout, signal }: StopQuery) {
  return withoutUndefined({ timeoutMs: timeout === undefined ? undefined : timeout * 1000, signal })
}

/** Without a filter /v1 lists all; `all=false` only those that have a process. */
export function toContainerFilter({
  all = true,
  infra = false,
  label,
  name,
  id,
  state,
  image,
  network,
  exitCode,
}: ListQuery): ContainerFilter {
  return withoutUndefined({
    infra: infra ? undefined : false,
    labels: label?.map(parseLabelTerm),
    names: name,
    ids: id,
    images: image,
    networks: network,
    exitCodes: exitCode?.map(Number),
    states: state ?? (all || exitCode ? undefined : ['running', 'paused', 'restarting']),
  })
}

export function toCreateExec({ command, env, user, workdir, tty, stdin, size, start }: CreateExecBody): CreateExec {
  return withoutUndefined({
    command,
    env,
    user,
    workingDir: workdir,
    tty,
    stdin,
    start,
    size: size && terminalSize(size.rows, size.columns),
  })
}

/** `tail_lines` says how many lines; the log's other words, without it, mean all of them. */
export function toLogOptions({ tail_lines, follow = false, since, until }: LogQuery): LogOptions {
  return withoutUndefined({
    tailLines: Math.max(0, tail_lines ?? Number.POSITIVE_INFINITY),
    follow,
    since: since === undefined ? undefined : toTime(since),
    until: until === undefined ? undefined : toTime(until),
  })
}

/** @throws {StatusError} `invalid_argument` */
function toTime(text: string): number {
  const ms = /^[\d.]+$/.test(text) ? Number(text) * 1000 : Date.parse(text)
  if (Number.isFinite(ms)) return ms
  throw new StatusError('invalid_argument', `Cannot read the time "${text}": give RFC 3339, or seconds since 1970`)
}

/** The public CLI shows what is behind the slash, and fails where there is none. */
export function withSlash(repository: string): string {
  return repository.includes('/') ? repository : `library/${repository}`
}

export function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}
