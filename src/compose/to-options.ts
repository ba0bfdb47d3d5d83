import { withoutUndefined } from '../lib/without-undefined.ts'
import type { ContainerOptions, DnsConfig } from '../model/container.ts'
import { parseDevice } from '../model/device.ts'
import { parseExtraHost, validateDns } from '../model/dns.ts'
import { type NamespaceKind, parseNamespaceMode } from '../model/namespace-mode.ts'
import { parseRestartPolicy, type RestartPolicy } from '../model/restart-policy.ts'
import { parseSecurityOptions, type SecurityOptions } from '../model/security.ts'
import { validateSysctls } from '../model/sysctl.ts'
import { parseUlimit } from '../model/ulimit.ts'
import { quoted } from './faults.ts'
import type { ComposeService, Count } from './project.ts'
import { type At, attempt, below, bytes, fault, integer, warn, yes } from './values.ts'

export function toOptions(service: ComposeService, at: At): ContainerOptions {
  const sysctls = service.sysctls ?? {}
  attempt(below(at, 'sysctls'), () => validateSysctls(sysctls))
  return withoutUndefined({
    shmBytes: bytes(below(at, 'shm_size'), service.shm_size),
    ulimits: some(toUlimits(service.ulimits ?? {}, below(at, 'ulimits'))),
    sysctls: Object.keys(sysctls).length > 0 ? sysctls : undefined,
    devices: some(each(service.devices, below(at, 'devices'), parseDevice)),
    groupAdd: some((service.group_add ?? []).map(String)),
    oomScoreAdj: integer(below(at, 'oom_score_adj'), service.oom_score_adj, -1000, 1000),
    privileged: yes(below(at, 'privileged'), service.privileged),
    security: toSecurity(service.security_opt ?? [], below(at, 'security_opt')),
    pidMode: toNamespace('pid', service.pid ?? '', below(at, 'pid')),
    ipcMode: toNamespace('ipc', service.ipc ?? '', below(at, 'ipc')),
    utsMode: toNamespace('uts', service.uts ?? '', below(at, 'uts')),
    init: yes(below(at, 'init'), service.init),
    dns: toDns(service, at),
    extraHosts: some(each(service.extra_hosts, below(at, 'extra_hosts'), parseExtraHost)),
    restart: toRestart(service, at),
  })
}

function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list
}

function each<T>(texts: readonly string[] | undefined, at: At, parse: (text: string) => T): readonly T[] {
  return (texts ?? []).flatMap((text, index) => attempt(below(at, index), () => parse(text)) ?? [])
}

function toUlimits(limits: NonNullable<ComposeService['ulimits']>, at: At) {
  return Object.entries(limits).flatMap(([name, limit]) => {
    const [soft, hard] = typeof limit === 'object' ? [limit.soft, limit.hard] : [limit, limit]
    return attempt(below(at, name), () => parseUlimit(`${name}=${soft}:${hard}`)) ?? []
  })
}

/** What is said of SELinux is passed over, as by docker where there is none. */
function toSecurity(texts: readonly string[], at: At): SecurityOptions | undefined {
  const own = texts.filter((text, index) => {
    const isLabel = /^label[:=]/.test(text)
    if (isLabel) warn(below(at, index), 'is not honoured: there is no SELinux')
    return !isLabel
  })
  return own.length === 0 ? undefined : attempt(at, () => parseSecurityOptions(own))
}

function toNamespace(kind: NamespaceKind, text: string, at: At) {
  if (/^(?:service|container):/.test(text)) return fault(at, joinRefusal(text))
  return attempt(at, () => parseNamespaceMode(kind, text))
}

/** Of `service:web`, `container:web`. */
export function joinRefusal(text: string): string {
  return `is ${quoted(text)}, but each container of a bottle is alone in its namespaces: use a pod for what shares them`
}

function toDns({ dns = [], dns_search = [], dns_opt = [] }: ComposeService, at: At): DnsConfig | undefined {
  const config = { servers: dns, search: dns_search, options: dns_opt }
  attempt(below(at, 'dns'), () => validateDns({ ...config, search: [], options: [] }))
  attempt(below(at, 'dns_search'), () => validateDns({ ...config, servers: [], options: [] }))
  attempt(below(at, 'dns_opt'), () => validateDns({ ...config, servers: [], search: [] }))
  return dns.length + dns_search.length + dns_opt.length > 0 ? config : undefined
}

const CONDITIONS: Readonly<Record<string, RestartPolicy['name']>> = {
  ...{ none: 'no', no: 'no', 'on-failure': 'on-failure', any: 'always', always: 'always' },
  'unless-stopped': 'unless-stopped',
}

/** That of `deploy` wins, as with docker compose. */
function toRestart({ restart, deploy }: ComposeService, at: At): RestartPolicy | undefined {
  const own = restart === undefined ? undefined : attempt(below(at, 'restart'), () => parseRestartPolicy(restart))
  const policy = deploy?.restart_policy
  return policy === undefined ? own : toDeployedRestart(policy, below(at, 'deploy', 'restart_policy'))
}

function toDeployedRestart(
  { condition = 'any', max_attempts: attempts }: { readonly condition?: string; readonly max_attempts?: Count },
  at: At,
): RestartPolicy | undefined {
  if (!Object.hasOwn(CONDITIONS, condition)) {
    const known = Object.keys(CONDITIONS).join(', ')
    return fault(below(at, 'condition'), `must be one of ${known}, not ${quoted(condition)}`)
  }
  const name = CONDITIONS[condition]!
  const maxRetries = integer(below(at, 'max_attempts'), attempts, 0, 1_000_000)
  if (!maxRetries) return { name }
  if (name === 'on-failure') return { name, maxRetries }
  warn(below(at, 'max_attempts'), 'is not honoured: only the condition on-failure has one')
  return { name }
}
