import { addressFamily } from '../lib/ip-address.ts'
import { withoutUndefined } from '../lib/without-undefined.ts'
import type { BottleDependency, BottleService } from '../model/bottle.ts'
import type { HealthcheckOptions } from '../model/healthcheck.ts'
import type { PortMapping } from '../model/network.ts'
import { parseSignal } from '../model/signal.ts'
import { quoted } from './faults.ts'
import type { ComposeDependency, ComposeHealthcheck, ComposePort, ComposeProject, ComposeService } from './project.ts'
import { shellWords } from './shell-words.ts'
import { toMounts } from './to-mounts.ts'
import { toAttachments } from './to-networks.ts'
import { toOptions } from './to-options.ts'
import { toResources } from './to-resources.ts'
import { type At, attempt, below, fault, integer, milliseconds, truth, warn, yes } from './values.ts'

const MAX_REPLICAS = 1000

export function toService(service: ComposeService, project: ComposeProject, at: At): BottleService {
  const { environment = {}, hostname, domainname, container_name: containerName, stop_signal: stopSignal } = service
  const replicas = toReplicas(service, at)
  if (hostname === undefined && domainname !== undefined) fault(below(at, 'domainname'), 'needs hostname')
  if (stopSignal !== undefined) attempt(below(at, 'stop_signal'), () => parseSignal(stopSignal))
  const ports = (service.ports ?? []).flatMap((port, index) => toPort(port, below(at, 'ports', index)) ?? [])
  const made = {
    image: toImage(service, at),
    pull: toPull(service.pull_policy, below(at, 'pull_policy')),
    entrypoint: toWords(service.entrypoint, below(at, 'entrypoint')),
    command: toWords(service.command, below(at, 'command')),
    // Of a name alone whose value the client does not have there is no variable.
    env: Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`])),
    workingDir: service.working_dir,
    user: service.user,
    hostname: hostname !== undefined && domainname !== undefined ? `${hostname}.${domainname}` : hostname,
    labels: service.labels ?? {},
    tty: yes(below(at, 'tty'), service.tty),
    openStdin: yes(below(at, 'stdin_open'), service.stdin_open),
    ports,
    ...toMounts(service, project, at),
    ...toAttachments(service, project, at),
    dependsOn: toDependencies(service, project, at),
    healthcheck: service.healthcheck && toHealthcheck(service.healthcheck, below(at, 'healthcheck')),
    replicas,
    resources: toResources(service, at),
    capAdd: service.cap_add ?? [],
    capDrop: service.cap_drop ?? [],
    readOnlyRootfs: yes(below(at, 'read_only'), service.read_only),
    options: toOptions(service, at),
    stopSignal,
    stopTimeoutMs: milliseconds(below(at, 'stop_grace_period'), service.stop_grace_period),
    containerName,
    updateOrder: service.deploy?.update_config?.order ?? ('stop-first' as const),
  }
  if (replicas > 1) tellOfReplicas(made, at)
  return withoutUndefined(made)
}

/** What only one container can have. */
function tellOfReplicas(
  {
    containerName,
    ports,
    networks,
    replicas,
  }: Pick<BottleService, 'ports' | 'networks' | 'replicas'> & { readonly containerName: string | undefined },
  at: At,
): void {
  const why = `only one of its ${replicas} containers could have it`
  if (containerName !== undefined) fault(below(at, 'container_name'), `is one name: ${why}`)
  for (const { hostPort } of ports) if (hostPort !== 0) fault(below(at, 'ports'), `publish port ${hostPort}: ${why}`)
  for (const { network, address, address6 } of networks) {
    if ((address ?? address6) !== undefined) fault(below(at, 'networks', network), `has an address: ${why}`)
  }
}

function toImage({ image, build }: ComposeService, at: At): string {
  if (image !== undefined && image !== '') return image
  fault(
    at,
    build === undefined
      ? 'needs "image"'
      : 'has no image, and images are not built here: build it, and name it in "image"',
  )
  return ''
}

function toPull(policy: string | undefined, at: At): BottleService['pull'] {
  if (policy === undefined || policy === 'missing' || policy === 'if_not_present') return 'missing'
  if (policy === 'always' || policy === 'never') return policy
  if (policy === 'build') fault(at, 'is build, and images are not built here')
  else warn(at, `is ${quoted(policy)}, and taken as missing`)
  return 'missing'
}

function toWords(words: string | readonly string[] | null | undefined, at: At): readonly string[] | undefined {
  if (words === null || words === undefined) return undefined
  return typeof words === 'string' ? attempt(at, () => shellWords(words)) : words
}

function toPort(
  { target, published = '0', host_ip: hostIp = '', protocol = 'tcp' }: ComposePort,
  at: At,
): PortMapping | undefined {
  const containerPort = integer(below(at, 'target'), target, 1, 65_535)
  if (target === undefined) return fault(at, 'needs "target"')
  const hostPort = integer(below(at, 'published'), published, 0, 65_535)
  if (protocol !== 'tcp' && protocol !== 'udp')
    return fault(below(at, 'protocol'), `must be tcp or udp, not ${quoted(protocol)}`)
  if (hostIp !== '' && addressFamily(hostIp) === undefined)
    return fault(below(at, 'host_ip'), `is no address: ${quoted(hostIp)}`)
  return containerPort === undefined || hostPort === undefined
    ? undefined
    : { hostIp, hostPort, containerPort, protocol }
}

const CONDITIONS = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed',
} as const

function toDependencies(
  { depends_on: dependencies = {}, links = [] }: ComposeService,
  project: ComposeProject,
  at: At,
) {
  const linked = links.map(
    (link) => [link.split(':')[0]!, { condition: 'service_started' } satisfies ComposeDependency] as const,
  )
  const all: Readonly<Record<string, ComposeDependency>> = { ...Object.fromEntries(linked), ...dependencies }
  const found = Object.entries(all).flatMap(
    ([name, { condition, required = true, restart }]): [string, BottleDependency][] => {
      const here = below(at, Object.hasOwn(dependencies, name) ? 'depends_on' : 'links', name)
      if (!Object.hasOwn(project.services, name)) {
        // What is not needed may be left out by its profile.
        if (required) fault(here, 'is no service of the project, or its profile is not asked for')
        return []
      }
      const isRestarted = truth(below(here, 'restart'), restart) === true
      return [[name, { condition: CONDITIONS[condition], required, ...(isRestarted && { restart: true as const }) }]]
    },
  )
  return Object.fromEntries(found)
}

function toHealthcheck(check: ComposeHealthcheck, at: At): HealthcheckOptions {
  const { test } = check
  if (truth(below(at, 'disable'), check.disable) === true) return { test: ['NONE'] }
  return withoutUndefined({
    test: typeof test === 'string' ? ['CMD-SHELL', test] : test,
    intervalMs: milliseconds(below(at, 'interval'), check.interval),
    timeoutMs: milliseconds(below(at, 'timeout'), check.timeout),
    retries: integer(below(at, 'retries'), check.retries, 0, 1_000_000),
    startPeriodMs: milliseconds(below(at, 'start_period'), check.start_period),
    startIntervalMs: milliseconds(below(at, 'start_interval'), check.start_interval),
  })
}

function toReplicas({ scale, deploy }: ComposeService, at: At): number {
  const replicas = integer(below(at, 'deploy', 'replicas'), deploy?.replicas, 0, MAX_REPLICAS)
  const scaled = integer(below(at, 'scale'), scale, 0, MAX_REPLICAS)
  if (replicas !== undefined && scaled !== undefined && replicas !== scaled) {
    fault(below(at, 'scale'), 'is not what deploy.replicas says')
  }
  return replicas ?? scaled ?? 1
}
