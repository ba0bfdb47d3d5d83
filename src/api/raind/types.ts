/**
 * The wire of /v1, exactly: what is sent as interfaces, what is taken as schemas.
 *
 * Times are RFC 3339; one that is not set is `0001-01-01T00:00:00Z`. Lists with nothing in them are `null`.
 */

import type { HealthReport } from '../../containers/index.ts'
import type { StatusCode } from '../../lib/errors.ts'
import { array, boolean, integer, map, number, object, oneOf, optional, type Static, string } from '../../lib/schema.ts'
import type { Container, ContainerState } from '../../model/container.ts'
import type { CheckedFinding } from '../../model/finding.ts'
import type { HealthStatus } from '../../model/healthcheck.ts'
import { HOSTNAME } from '../../model/hostname.ts'
import type { Sandbox } from '../../model/network.ts'
import { optionFields, resourceFields } from './container-options.ts'
import { healthcheckBody } from './healthcheck.ts'
import { auth, imageName } from './image-types.ts'
import type { WireManifestFailure } from './kube-types.ts'
import { attachFields } from './network-types.ts'
import { labelTerms } from './prune.ts'

export interface Success<T> {
  readonly status: 'success'
  readonly message?: string
  readonly data?: T
}

export interface Failure {
  readonly status: 'fail'
  readonly message: string
  readonly code: StatusCode
  /** Of a manifest: what is wrong with each of its documents. */
  readonly data?: WireManifestFailure
}

export type Envelope<T> = Success<T> | Failure

export interface WireForward {
  /** Port on the host; 0 while none has been chosen. */
  readonly source: number
  /** Port in the container. */
  readonly destination: number
  readonly protocol: string
  readonly hostIp: string
}

export interface WireContainer {
  readonly containerId: string
  readonly name: string
  readonly podId?: string
  readonly state: ContainerState
  /** Of one that runs and has a health check. */
  readonly health?: HealthStatus
  /** 0 if it does not run. */
  readonly pid: number
  /** Always contains a slash. */
  readonly imageRepository: string
  readonly imageReference: string
  readonly command: readonly string[] | null
  /** Without a prefix length. */
  readonly address: string
  readonly address6?: string
  readonly forwards: readonly WireForward[] | null
  readonly creatingAt: string
  readonly createdAt: string
  /** When it was started: the wire spells it so. */
  readonly statedAt: string
  readonly stoppedAt: string
  /** These three only once it has ended. */
  readonly exitCode?: number
  readonly reason?: string
  readonly message?: string
}

/** Everything about a container, in the model's words. Times are ms. */
export interface WireInspect extends Container {
  readonly state: ContainerState
  readonly sandbox: Sandbox
  /** Where there is a health check: how it went last; results are not kept across restarts of the daemon. */
  readonly health?: HealthReport & { readonly status: HealthStatus | 'none' }
  /** What the last check of records, kernel and disk has found of it; absent: nothing. */
  readonly problems?: readonly string[]
}

export interface WireId {
  readonly id: string
}

export interface WireExit {
  readonly id: string
  readonly exitCode: number
  readonly oomKilled: boolean
}

export interface WireExecStarted {
  /** The container, as it was named in the request. */
  readonly id: string
  readonly execId: string
}

export interface WireExecResult extends WireExecStarted {
  readonly exitCode: number
  /** The first MiB of each. */
  readonly stdout: string
  readonly stderr: string
  readonly truncated: boolean
}

export interface WireExec {
  readonly execId: string
  readonly containerId: string
  readonly command: readonly string[]
  readonly running: boolean
  readonly pid: number
  /** Null while it has not ended. */
  readonly exitCode: number | null
  readonly createdAt: string
  readonly startedAt: string
  readonly finishedAt: string
}

export interface WireVersion {
  readonly version: string
  readonly apiVersion: string
  readonly node: string
  readonly runtime: { readonly name: string; readonly version: string }
}

export interface WireHealth {
  /** `degraded`: it serves, and something is not as it should be. */
  readonly status: 'ok' | 'degraded'
  readonly uptimeMs: number
  /** What the last check of records, kernel and disk has found. */
  readonly problems: readonly CheckedFinding[]
}

/** The media type of live output: frames of u8 type, u32 BE length, payload. */
export const FRAME_STREAM = 'application/vnd.raind.stream'
export const NDJSON = 'application/x-ndjson'

const text = string({ maxLength: 131_072 })
const texts = array(text, { maxItems: 4096 })
const env = array(string({ maxLength: 131_072, pattern: '^[^=]+=', description: 'NAME=value' }), { maxItems: 4096 })
const hostname = string(HOSTNAME)
const workdir = string({ maxLength: 4096, pattern: '^/', description: 'an absolute path' })

const attachBody = object({ network: text, ...attachFields })

export const createContainerBody = object({
  image: imageName,
  name: optional(string({ maxLength: 256 })),
  /** Replaces the image's entrypoint and its Cmd; with `entrypoint` it follows that. */
  command: optional(texts),
  /** Follow the image's entrypoint in place of its Cmd, or whatever replaces that. */
  args: optional(texts),
  entrypoint: optional(texts),
  env: optional(env),
  workdir: optional(workdir),
  user: optional(string({ maxLength: 256 })),
  hostname: optional(hostname),
  labels: optional(map(text)),
  tty: optional(boolean()),
  /** By default as `tty`. */
  openStdin: optional(boolean()),
  stdinOnce: optional(boolean()),
  /** `[ip:]host:container[/protocol]` */
  port: optional(array(text, { maxItems: 1024 })),
  /** `[source:]destination[:options]`; a source without a slash names a volume, none asks for a new one. */
  mount: optional(array(text, { maxItems: 1024 })),
  /** `container[:ro]` */
  volumesFrom: optional(array(text, { maxItems: 64 })),
  /** `destination[:options]` */
  tmpfs: optional(array(text, { maxItems: 1024 })),
  network: optional(text),
  networks: optional(array(attachBody, { maxItems: 32 })),
  podId: optional(text),
  ...resourceFields,
  capAdd: optional(texts),
  capDrop: optional(texts),
  readOnly: optional(boolean()),
  ...optionFields,
  healthcheck: optional(healthcheckBody),
  stopSignal: optional(text),
  /** Seconds. */
  stopTimeout: optional(number({ minimum: 0, maximum: 1_000_000 })),
  autoRemove: optional(boolean()),
  auth: optional(auth),
})
export type CreateContainerBody = Static<typeof createContainerBody>

export const startBody = object({ tty: optional(boolean()) })
export const renameBody = object({ name: string({ maxLength: 256 }) })
export const killBody = object({ signal: optional(text) })

const execProperties = {
  command: texts,
  env: optional(env),
  user: optional(string({ maxLength: 256 })),
  workdir: optional(workdir),
  tty: optional(boolean()),
}
export const sizeBody = object({ rows: integer(), columns: integer() })
export const createExecBody = object({
  ...execProperties,
  stdin: optional(boolean()),
  size: optional(sizeBody),
  /** Begin at once: who starts it within 30 s gets all that it wrote; after that it is hung up. */
  start: optional(boolean()),
})
export type CreateExecBody = Static<typeof createExecBody>
export const execBody = object({ ...execProperties, wait: optional(boolean()) })
export type ExecBody = Static<typeof execBody>

export const listQuery = object({
  all: optional(boolean()),
  /** Also those that do nothing but hold the namespaces of pods. */
  infra: optional(boolean()),
  label: optional(labelTerms),
  /** Parts of names; `^` and `$` at their ends mean those of the name. */
  name: optional(array(text)),
  /** Beginnings of ids. */
  id: optional(array(text)),
  /** Names or ids of the images that they were made from. */
  image: optional(array(text)),
  network: optional(array(text)),
  exitCode: optional(array(string({ pattern: '^\\d{1,3}$', description: 'an exit code' }))),
  state: optional(array(oneOf('creating', 'created', 'running', 'paused', 'restarting', 'stopped', 'removing'))),
})
export type ListQuery = Static<typeof listQuery>

export const stopQuery = object({
  /** Seconds. */
  timeout: optional(integer({ minimum: 0, maximum: 1_000_000 })),
  signal: optional(text),
})
export type StopQuery = Static<typeof stopQuery>
/** `volumes`: with those that were made for it without a name. */
export const deleteQuery = object({ force: optional(boolean()), volumes: optional(boolean()) })
export const LOG_LINES_LIMIT = 5000
const logTime = string({
  maxLength: 64,
  pattern: '^(\\d+(\\.\\d+)?|\\d{4}-\\d\\d-\\d\\dT.+)$',
  description: 'a time: RFC 3339, or seconds since 1970',
})
export const logQuery = object({
  tail_lines: optional(integer({ maximum: LOG_LINES_LIMIT })),
  /** Go on until the container ends. */
  follow: optional(boolean()),
  since: optional(logTime),
  until: optional(logTime),
  /** Put the time before each line. */
  timestamps: optional(boolean()),
  /** Each is left out if false. */
  stdout: optional(boolean()),
  stderr: optional(boolean()),
})
export type LogQuery = Static<typeof logQuery>
/** What of a session to give; without any of these, all there is. */
const streamFields = { stdin: optional(boolean()), stdout: optional(boolean()), stderr: optional(boolean()) }
export const attachQuery = object({
  ...streamFields,
  /** Refuse a container that has no terminal, or has one. */
  tty: optional(boolean()),
  /** Begin with what it has written before. */
  logs: optional(boolean()),
  /** Wait for the start of a container that does not run. */
  wait: optional(boolean()),
})
export type AttachQuery = Static<typeof attachQuery>
export const execStreamsQuery = object(streamFields)
export type StreamsQuery = Static<typeof execStreamsQuery>
