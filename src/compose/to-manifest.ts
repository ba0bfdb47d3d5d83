import { messageOf } from '../lib/errors.ts'
import { withoutUndefined } from '../lib/without-undefined.ts'
import type { BottleManifest, BottleService, BottleVolume } from '../model/bottle.ts'
import { validateNameOrId } from '../model/names.ts'
import { startOrder } from '../model/start-order.ts'
import type { Fault, Warning } from './faults.ts'
import { tellMarks } from './key-marks.ts'
import type { ComposeProject, ComposeVolume } from './project.ts'
import { MAX_SERVICES, NAME, NAME_RULE } from './project-name.ts'
import { tellOfExternal, toNetworks } from './to-networks.ts'
import { toService } from './to-service.ts'
import { type At, attempt, below, fault, truth } from './values.ts'

export interface ReadManifest {
  /** Of use if there are no faults. */
  readonly manifest: BottleManifest
  readonly faults: readonly Fault[]
  readonly warnings: readonly Warning[]
}

/** What a project in canonical spelling says, with values as they are: no `$$`. */
export function toManifest(given: ComposeProject): ReadManifest {
  const project = { ...given, services: given.services ?? {} }
  const at: At = { path: [], faults: [], warnings: [] }
  tellMarks(project, at)
  const names = Object.keys(project.services)
  if (names.length === 0) fault(at, 'services: there is none')
  if (names.length > MAX_SERVICES) fault(below(at, 'services'), `are ${names.length}: at most ${MAX_SERVICES}`)
  const services = names.length > MAX_SERVICES ? {} : toServices(project, below(at, 'services'))
  const used = new Set(Object.values(services).flatMap(({ networks }) => networks.map(({ network }) => network)))
  const spec = {
    services,
    networks: toNetworks(project, used, below(at, 'networks')),
    volumes: toVolumes(project, services, below(at, 'volumes')),
    policies: [],
  }
  return { manifest: { name: project.name, spec }, faults: at.faults, warnings: at.warnings }
}

function toServices(project: ComposeProject, at: At): Readonly<Record<string, BottleService>> {
  const aliases = linkAliases(project)
  const read = Object.entries(project.services).map(([name, service]) => {
    const here = below(at, name)
    if (!NAME.test(name)) fault(here, `is no name of a service: ${NAME_RULE}`)
    return [name, toService(service, project, aliases.get(name) ?? new Map(), here)] as const
  })
  const services = Object.fromEntries(read)
  tellOfSameNames(services, at)
  tellOfCircles(services, at)
  return services
}

/** `links: ["db:database"]`: what a service is called besides by whom is in a network with it; by service and network. */
function linkAliases({ services }: ComposeProject): ReadonlyMap<string, Map<string, string[]>> {
  const aliases = new Map<string, Map<string, string[]>>()
  for (const { links = [], networks = {} } of Object.values(services)) {
    for (const link of links) {
      const [name = '', alias] = link.split(':')
      if (alias === undefined || !Object.hasOwn(services, name)) continue
      const own = networksOf(networks)
      for (const key of networksOf(services[name]!.networks ?? {}).filter((other) => own.includes(other))) {
        const byNetwork = aliases.get(name) ?? new Map<string, string[]>()
        const others = byNetwork.get(key) ?? []
        others.push(alias)
        byNetwork.set(key, others)
        aliases.set(name, byNetwork)
      }
    }
  }
  return aliases
}

function networksOf(networks: object): readonly string[] {
  const names = Object.keys(networks)
  return names.length > 0 ? names : ['default']
}

function tellOfSameNames(services: Readonly<Record<string, BottleService>>, at: At): void {
  const taken = new Map<string, string>()
  for (const [name, { containerName }] of Object.entries(services)) {
    if (containerName === undefined) continue
    const other = taken.get(containerName)
    if (other !== undefined) fault(below(at, name, 'container_name'), `is that of ${other}, too`)
    taken.set(containerName, name)
  }
}

function tellOfCircles(services: Readonly<Record<string, BottleService>>, at: At): void {
  try {
    startOrder(services)
  } catch (error) {
    fault(at, `: one ${messageOf(error)}`)
  }
}

/** Those that are mounted somewhere. */
function toVolumes(
  { volumes = {} }: ComposeProject,
  services: Readonly<Record<string, BottleService>>,
  at: At,
): Readonly<Record<string, BottleVolume>> {
  const used = new Set(
    Object.values(services).flatMap(({ mounts }) =>
      mounts.flatMap((mount) => (mount.type === 'volume' && mount.volume !== undefined ? [mount.volume] : [])),
    ),
  )
  const entries = [...used].toSorted().map((key) => {
    const volume = Object.hasOwn(volumes, key) ? volumes[key] : undefined
    return [key, toVolume(key, volume ?? {}, below(at, key))] as const
  })
  return Object.fromEntries(entries)
}

function toVolume(key: string, volume: ComposeVolume, at: At): BottleVolume {
  const { name, labels = {} } = volume
  if (name !== undefined) attempt(below(at, 'name'), () => validateNameOrId('volume', name))
  if (!truth(below(at, 'external'), volume.external)) return withoutUndefined({ name, labels })
  tellOfExternal(volume, at)
  return { name: name ?? key, external: true, labels: {} }
}
