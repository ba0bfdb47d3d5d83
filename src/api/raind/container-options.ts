import type { ContainerUpdate } from '../../containers/index.ts'
import { anyOf, array, boolean, integer, map, number, object, optional, type Static, string } from '../../lib/schema.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import type { ContainerOptions, Resources } from '../../model/container.ts'
import { parseDevice } from '../../model/device.ts'
import { parseExtraHost, validateDns } from '../../model/dns.ts'
import { parseNamespaceMode } from '../../model/namespace-mode.ts'
import { milliCpus, parseBytes } from '../../model/quantity.ts'
import { parseRestartPolicy } from '../../model/restart-policy.ts'
import { parseSecurityOptions } from '../../model/security.ts'
import { validateSysctls } from '../../model/sysctl.ts'
import { parseUlimit } from '../../model/ulimit.ts'

const text = string({ maxLength: 4096 })
const texts = array(text, { maxItems: 1024 })
/** A number of bytes, or as people write it: `64m`. */
const bytes = anyOf(integer(), string({ maxLength: 64 }))

/** Limits, which can be changed while a container runs. 0 counts as absent. */
export const resourceFields = {
  memory: optional(bytes),
  /** Memory and swap together; -1: no limit. */
  memorySwap: optional(bytes),
  memoryReservation: optional(bytes),
  cpus: optional(number()),
  cpuShares: optional(integer({ minimum: 0, maximum: 262_144 })),
  /** Lists as in `0-3,8`. */
  cpusetCpus: optional(text),
  cpusetMems: optional(text),
  pids: optional(integer({ minimum: 1, maximum: 4_194_304 })),
}
/** `no`, `on-failure[:MAX]`, `always`, `unless-stopped` */
const restart = string({ maxLength: 64 })
export const updateBody = object({ ...resourceFields, restart: optional(restart) })

/** What is left to docker's defaults unless it is given; in docker's words. */
export const optionFields = {
  shmSize: optional(bytes),
  /** `name=soft[:hard]` */
  ulimits: optional(texts),
  sysctls: optional(map(text)),
  /** `source[:destination][:rwm]` */
  devices: optional(texts),
  groupAdd: optional(texts),
  oomScoreAdj: optional(integer({ minimum: -1000, maximum: 1000 })),
  privileged: optional(boolean()),
  /** `no-new-privileges`, `apparmor=NAME`, `seccomp=unconfined`, `seccomp=` and the JSON of a profile ... */
  securityOpt: optional(array(string({ maxLength: 524_288 }), { maxItems: 32 })),
  /** `host`, `private`, `container:REF` */
  pidMode: optional(text),
  /** Also `shareable`, for a container that others may join. */
  ipcMode: optional(text),
  utsMode: optional(text),
  init: optional(boolean()),
  dns: optional(texts),
  /** `.`: none. */
  dnsSearch: optional(texts),
  dnsOptions: optional(texts),
  /** `name:address`, `name:host-gateway` */
  extraHosts: optional(texts),
  restart: optional(restart),
  restartUnhealthy: optional(boolean()),
}

const resourcesBody = object(resourceFields)
const optionsBody = object(optionFields)

/** @throws {StatusError} `invalid_argument` */
export function toResources(body: Static<typeof resourcesBody>): Resources {
  return withoutUndefined({
    memoryBytes: toBytes('memory limit', body.memory),
    memorySwapBytes: isMinusOne(body.memorySwap) ? -1 : toBytes('memory and swap limit', body.memorySwap),
    memoryReservationBytes: toBytes('memory reservation', body.memoryReservation),
    milliCpus: body.cpus ? milliCpus(body.cpus) : undefined,
    cpuShares: body.cpuShares || undefined,
    cpusetCpus: body.cpusetCpus || undefined,
    cpusetMems: body.cpusetMems || undefined,
    pids: body.pids,
  })
}

/** @throws {StatusError} `invalid_argument` */
export function toUpdate({ restart, ...limits }: Static<typeof updateBody>): ContainerUpdate {
  return withoutUndefined({
    resources: toResources(limits),
    restart: restart === undefined ? undefined : parseRestartPolicy(restart),
  })
}

/** @throws {StatusError} `invalid_argument` */
export function toOptions(body: Static<typeof optionsBody>): ContainerOptions {
  const { dns = [], dnsSearch = [], dnsOptions = [], sysctls = {} } = body
  validateSysctls(sysctls)
  validateDns({ servers: dns, search: dnsSearch, options: dnsOptions })
  const hasDns = dns.length + dnsSearch.length + dnsOptions.length > 0
  return withoutUndefined({
    shmBytes: toBytes('size of /dev/shm', body.shmSize),
    ulimits: someOf(body.ulimits)?.map(parseUlimit),
    sysctls: Object.keys(sysctls).length > 0 ? sysctls : undefined,
    devices: someOf(body.devices)?.map(parseDevice),
    groupAdd: someOf(body.groupAdd),
    oomScoreAdj: body.oomScoreAdj,
    privileged: body.privileged || undefined,
    security: body.securityOpt && someOf(body.securityOpt) && parseSecurityOptions(body.securityOpt),
    pidMode: parseNamespaceMode('pid', body.pidMode ?? ''),
    ipcMode: parseNamespaceMode('ipc', body.ipcMode ?? ''),
    utsMode: parseNamespaceMode('uts', body.utsMode ?? ''),
    init: body.init || undefined,
    dns: hasDns ? { servers: dns, search: dnsSearch, options: dnsOptions } : undefined,
    extraHosts: someOf(body.extraHosts)?.map(parseExtraHost),
    restart: body.restart === undefined ? undefined : parseRestartPolicy(body.restart),
    restartUnhealthy: body.restartUnhealthy || undefined,
  })
}

function toBytes(what: string, value: number | string | undefined): number | undefined {
  return value === undefined ? undefined : parseBytes(what, String(value)) || undefined
}

function isMinusOne(value: number | string | undefined): boolean {
  return value === -1 || value === '-1'
}

function someOf<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}
