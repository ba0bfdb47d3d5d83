import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CreateContainerBody } from '../../api/raind/index.ts'
import type { FlagSpec, Flags } from '../command.ts'
import { usageError } from '../errors.ts'
import { HEALTH_FLAGS, healthBody } from './health-flags.ts'

/** Limits: of `run` and `create`, and of `update`. */
export const RESOURCE_FLAGS: Readonly<Record<string, FlagSpec>> = {
  memory: { type: 'string', short: 'm', value: 'BYTES', help: 'memory limit: 64m, 1g' },
  'memory-swap': { type: 'string', value: 'BYTES', help: 'limit of memory and swap together; -1: none' },
  'memory-reservation': { type: 'string', value: 'BYTES', help: 'memory it is held to when memory is short' },
  cpus: { type: 'string', value: 'N', help: 'CPU limit: 1.5' },
  'cpu-shares': { type: 'string', short: 'c', value: 'N', help: 'weight against others (1024 is usual)' },
  'cpuset-cpus': { type: 'string', value: 'LIST', help: 'CPUs to run on: 0-3,8' },
  'cpuset-mems': { type: 'string', value: 'LIST', help: 'memory nodes to use' },
  'pids-limit': { type: 'string', value: 'N', help: 'limit of processes' },
}

export const RESTART_FLAG: FlagSpec = {
  type: 'string',
  value: 'RESTART_POLICY',
  help: 'start it again when it has ended: no, on-failure[:MAX], always, unless-stopped',
}

/** The less common ones of docker's, in its spelling. */
export const OPTION_FLAGS: Readonly<Record<string, FlagSpec>> = {
  'shm-size': { type: 'string', value: 'BYTES', help: 'size of /dev/shm (default 64m)' },
  ulimit: { type: 'string', multiple: true, value: 'NAME=SOFT[:HARD]', help: 'limit of its processes: nofile=1024' },
  sysctl: { type: 'string', multiple: true, value: 'NAME=VALUE', help: 'set a kernel parameter of its own' },
  device: { type: 'string', multiple: true, value: 'SRC[:DST][:rwm]', help: 'give it a device of the host' },
  'group-add': { type: 'string', multiple: true, value: 'GROUP', help: 'add a group to its user' },
  'oom-score-adj': { type: 'string', value: 'N', help: 'who is killed first without memory: -1000 to 1000' },
  privileged: { type: 'boolean', help: 'lift all restrictions' },
  'security-opt': {
    type: 'string',
    multiple: true,
    value: 'OPTION',
    help: 'seccomp=FILE|unconfined, apparmor=NAME|unconfined, no-new-privileges, systempaths=unconfined',
  },
  pid: { type: 'string', value: 'MODE', help: 'host, or container:NAME to join' },
  ipc: { type: 'string', value: 'MODE', help: 'host, shareable, or container:NAME to join' },
  uts: { type: 'string', value: 'MODE', help: 'host, or container:NAME to join' },
  init: { type: 'boolean', help: 'run an init that forwards signals and reaps processes' },
  dns: { type: 'string', multiple: true, value: 'ADDRESS', help: 'DNS server' },
  'dns-search': { type: 'string', multiple: true, value: 'DOMAIN', help: 'DNS search domain; "." for none' },
  'dns-option': { type: 'string', multiple: true, value: 'OPTION', help: 'DNS option: ndots:2' },
  'add-host': {
    type: 'string',
    multiple: true,
    value: 'NAME:ADDRESS',
    help: 'line for /etc/hosts; or NAME:host-gateway',
  },
  restart: RESTART_FLAG,
  ...HEALTH_FLAGS,
}

/** What was not given is undefined. */
export function resourcesBody(flags: Flags) {
  return {
    memory: flags.text('memory'),
    memorySwap: flags.text('memory-swap'),
    memoryReservation: flags.text('memory-reservation'),
    cpus: flags.number('cpus'),
    cpuShares: flags.number('cpu-shares'),
    cpusetCpus: flags.text('cpuset-cpus'),
    cpusetMems: flags.text('cpuset-mems'),
    pids: flags.number('pids-limit'),
  }
}

/** What was not given is undefined. */
export function optionsBody(flags: Flags) {
  return {
    shmSize: flags.text('shm-size'),
    ulimits: someOf(flags.list('ulimit')),
    sysctls: pairsOf('sysctl', flags.list('sysctl')),
    devices: someOf(flags.list('device')),
    groupAdd: someOf(flags.list('group-add')),
    oomScoreAdj: flags.number('oom-score-adj'),
    privileged: flags.is('privileged') || undefined,
    securityOpt: someOf(flags.list('security-opt').map(readSeccompFile)),
    pidMode: flags.text('pid'),
    ipcMode: flags.text('ipc'),
    utsMode: flags.text('uts'),
    init: flags.is('init') || undefined,
    dns: someOf(flags.list('dns')),
    dnsSearch: someOf(flags.list('dns-search')),
    dnsOptions: someOf(flags.list('dns-option')),
    extraHosts: someOf(flags.list('add-host')),
    restart: flags.text('restart'),
    ...healthBody(flags),
  } satisfies { [K in keyof CreateContainerBody]?: CreateContainerBody[K] | undefined }
}

export function someOf(list: readonly string[]): string[] | undefined {
  return list.length > 0 ? [...list] : undefined
}

/** The daemon takes the profile itself: the file is this side's. */
function readSeccompFile(option: string): string {
  const [, file = 'unconfined'] = /^seccomp[=:](.*)$/s.exec(option) ?? []
  if (file === 'unconfined' || file === '') return option
  try {
    return `seccomp=${JSON.stringify(JSON.parse(readFileSync(resolve(file), 'utf8')))}`
  } catch (error) {
    throw usageError(`Cannot read the seccomp profile ${file}: ${(error as Error).message}`)
  }
}

function pairsOf(flag: string, entries: readonly string[]): Record<string, string> | undefined {
  if (entries.length === 0) return undefined
  return Object.fromEntries(
    entries.map((entry) => {
      const [name = '', value] = entry.split(/=(.*)/s)
      if (value === undefined) throw usageError(`--${flag} wants NAME=VALUE, not "${entry}"`)
      return [name, value]
    }),
  )
}
