import { messageOf } from '../lib/errors.ts'
import { withoutUndefined } from '../lib/without-undefined.ts'
import type { BottleDependency, BottleService } from '../model/bottle.ts'
import { parseCapability } from '../model/capability.ts'
import { HOST_NAME } from '../model/dns.ts'
import { HOSTNAME } from '../model/hostname.ts'
import { validateName } from '../model/names.ts'
import { assertNamespacesAgree } from '../model/namespace-mode.ts'
import { parseSignal } from '../model/signal.ts'
import { quoted } from './faults.ts'
import type { ComposeProject, ComposeService } from './project.ts'
import { shellWords } from './shell-words.ts'
import { toHealthcheck } from './to-healthcheck.ts'
import { toMounts } from './to-mounts.ts'
import { toServiceNetworks } from './to-networks.ts'
import { toOptions } from './to-options.ts'
import { toPorts } from './to-ports.ts'
import { toResources } from './to-resources.ts'
import { type At, attempt, below, fault, integer, milliseconds, warn, yes } from './values.ts'

const MAX_REPLICAS = 1000

const IS_HOSTNAME = new RegExp(HOSTNAME.pattern)

/** What a service says; `linkAliases` are what others call it, by network. */
export function toService(
  service: ComposeService,
  project: ComposeProject,
  linkAliases: ReadonlyMap<string, readonly string[]>,
  at: At,
): BottleService {
  const options = toOptions(service, at)
  const hostname = toHostname(service, at)
  const { networks, networkMode } = toServiceNetworks(service, project, linkAliases, at)
  attempt(at, () => assertNamespacesAgree({ hostname, networkMode, options }))
  const read = withoutUndefined({
    image: toImage(service, at),
    pull: toPull(service.pull_policy, below(at, 'pull_policy')),
    entrypoint: toArgv(service.entrypoint, below(at, 'entrypoint')),
    command: toArgv(service.command, below(at, 'command')),
    env: toEnv(service.environment ?? {}, below(at, 'environment')),
    workingDir: service.working_dir || undefined,
    user: service.user || undefined,
    hostname,
    labels: service.labels ?? {},
    tty: yes(below(at, 'tty'), service.tty),
    openStdin: yes(below(at, 'stdin_open'), service.stdin_open),
    ports: toPorts(service, below(at, 'ports')),
    ...toMounts(service, project, at),
    networks,
    networkMode,
    dependsOn: toDependencies(service, project, at),
    healthcheck: toHealthcheck(service.healthcheck, below(at, 'healthcheck')),
    replicas: toReplicas(service, at),
    resources: toResources(service, at),
    capAdd: toCapabilities(service.cap_add, below(at, 'cap_add')),
    capDrop: toCapabilities(service.cap_drop, below(at, 'cap_drop')),
    readOnlyRootfs: yes(below(at, 'read_only'), service.read_only),
    options,
    stopSignal: toSignal(service.stop_signal, below(at, 'stop_signal')),
    stopTimeoutMs: milliseconds(below(at, 'stop_grace_period'), service.stop_grace_period),
    containerName: toContainerName(service.container_name, below(at, 'container_name')),
    updateOrder: service.deploy?.update_config?.order ?? 'stop-first',
  })
  if (read.workingDir !== undefined && !read.workingDir.startsWith('/')) {
    fault(below(at, 'working_dir'), `must be an absolute path, not ${quoted(read.workingDir)}`)
  }
  if (read.replicas > 1) tellOfOneOnly(read, at)
  return read
}

/** What only one container can have. */
function tellOfOneOnly({ replicas, containerName, ports, networks }: BottleService, at: At): void {
  const hostPort = ports.find((port) => port.hostPort !== 0)?.hostPort
  const address = networks.flatMap((network) => network.address ?? network.address6 ?? [])[0]
  const tell = (place: At, what: string) => fault(place, `: ${replicas} replicas cannot all have ${what}`)
  if (containerName !== undefined) tell(below(at, 'container_name'), `the name ${containerName}`)
  if (hostPort !== undefined) tell(below(at, 'ports'), `port ${hostPort} of the host; leave it out for free ones`)
  if (address !== undefined) tell(below(at, 'networks'), `the address ${address}`)
}

function toImage({ image = '', build }: ComposeService, at: At): string {
  if (image !== '') return image
  if (build === undefined) fault(at, 'needs "image"')
  else
    fault(below(at, 'build'), 'is not supported: images are not built here; build it first, and name it with "image"')
  return ''
}

const PULLS: Readonly<Record<string, BottleService['pull']>> = {
  ...{ always: 'always', missing: 'missing', if_not_present: 'missing', never: 'never' },
}

function toPull(policy: string | undefined, at: At): BottleService['pull'] {
  if (policy === undefined) return 'missing'
  if (Object.hasOwn(PULLS, policy)) return PULLS[policy]!
  if (policy === 'build') fault(at, 'is "build", but images are not built here')
  else if (!/^(?:refresh|daily|weekly|every_(?:\d{1,9}[wdhms]){1,5})$/.test(policy)) {
    fault(at, `must be one of ${Object.keys(PULLS).join(', ')}, not ${quoted(policy)}`)
  } else warn(at, `is taken as "missing", not honoured as ${quoted(policy)}`)
  return 'missing'
}

function toArgv(value: string | readonly string[] | null | undefined, at: At): readonly string[] | undefined {
  if (typeof value !== 'string') return value ?? undefined
  try {
    return shellWords(value)
  } catch (error) {
    return fault(at, messageOf(error))
  }
}

/** A name without a value is not set. */
function toEnv(environment: Readonly<Record<string, string | null>>, at: At): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (name === '' || name.includes('=')) fault(at, `has ${quoted(name)}, which is no name of a variable`)
    return value === null ? [] : [`${name}=${value}`]
  })
}

function toHostname({ hostname, domainname }: ComposeService, at: At): string | undefined {
  if (domainname !== undefined && hostname === undefined) {
    return warn(below(at, 'domainname'), 'is not honoured: there is no hostname')
  }
  const name = hostname && domainname ? `${hostname}.${domainname}` : hostname
  if (!name) return undefined
  const isValid = name.length <= HOSTNAME.maxLength && IS_HOSTNAME.test(name)
  return isValid ? name : fault(below(at, 'hostname'), `must be ${HOSTNAME.description}, not ${quoted(name)}`)
}

const CONDITIONS = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed',
} as const

function toDependencies(
  { depends_on = {}, links = [] }: ComposeService,
  { services }: ComposeProject,
  at: At,
): Readonly<Record<string, BottleDependency>> {
  const dependencies = new Map<string, BottleDependency>()
  const known = (name: string, place: At) =>
    Object.hasOwn(services, name) || fault(place, `: there is no service ${quoted(name)}`)
  for (const [index, link] of links.entries()) {
    const place = below(at, 'links', index)
    const [name = '', alias = name] = link.split(':')
    if (!HOST_NAME.test(alias)) fault(place, `is ${quoted(link)}; want a service, or service:alias`)
    if (known(name, place)) dependencies.set(name, { condition: 'started', restart: true, required: true })
  }
  for (const [name, { condition, required = true, restart }] of Object.entries(depends_on)) {
    const place = below(at, 'depends_on', name)
    if (!known(name, place)) continue
    const isRestarted = yes(below(place, 'restart'), restart)
    dependencies.set(name, { condition: CONDITIONS[condition], ...(isRestarted && { restart: true }), required })
  }
  return Object.fromEntries(dependencies)
}

function toReplicas({ deploy, scale }: ComposeService, at: At): number {
  const deployed = integer(below(at, 'deploy', 'replicas'), deploy?.replicas, 0, MAX_REPLICAS)
  const scaled = integer(below(at, 'scale'), scale, 0, MAX_REPLICAS)
  if (deployed !== undefined && scaled !== undefined && deployed !== scaled) {
    fault(below(at, 'scale'), `is ${scaled}, and deploy.replicas ${deployed}`)
  }
  return deployed ?? scaled ?? 1
}

function toCapabilities(names: readonly string[] | undefined, at: At): readonly string[] {
  return (names ?? []).flatMap((name, index) => attempt(below(at, index), () => parseCapability(name)) ?? [])
}

function toSignal(signal: string | undefined, at: At): string | undefined {
  if (signal !== undefined) attempt(at, () => parseSignal(signal))
  return signal
}

function toContainerName(name: string | undefined, at: At): string | undefined {
  if (name !== undefined) attempt(at, () => validateName('container', name))
  return name
}
