import type { BottleManifest, BottleService, BottleSpec } from '../model/bottle.ts'
import type { Fault, Warning } from './faults.ts'
import { tellMarks } from './key-marks.ts'
import type { ComposeProject, ComposeVolume } from './project.ts'
import { NAME, NAME_RULE } from './project-name.ts'
import { startOrder } from './start-order.ts'
import { toNetwork } from './to-networks.ts'
import { toService } from './to-service.ts'
import { type At, attempt, below, fault, yes } from './values.ts'

export interface ManifestReading {
  readonly manifest: BottleManifest
  readonly faults: readonly Fault[]
  readonly warnings: readonly Warning[]
}

const SERVICE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/

/** What a resolved project says, without its `$$`. Where there are faults the manifest is not to be used. */
export function toManifest(project: ComposeProject): ManifestReading {
  const at: At = { path: [], faults: [], warnings: [] }
  tellMarks(project, at)
  if (!NAME.test(project.name)) fault(below(at, 'name'), `is no name for a bottle: ${NAME_RULE}`)
  const services = Object.fromEntries(
    Object.entries(project.services).map(([name, service]) => {
      const here = below(at, 'services', name)
      if (!SERVICE_NAME.test(name))
        fault(here, 'is no name for a service: use letters, digits, "_", "." and "-", at most 63')
      return [name, toService(service, project, here)]
    }),
  )
  if (Object.keys(services).length === 0) fault(below(at, 'services'), 'has no service')
  attempt(below(at, 'services'), () => startOrder(services))
  const linked = withLinks(services, project)
  const manifest = {
    name: project.name,
    spec: {
      services: linked,
      networks: networksOf(linked, project, below(at, 'networks')),
      volumes: volumesOf(linked, project, below(at, 'volumes')),
      policies: [],
    },
  }
  return { manifest, faults: at.faults, warnings: at.warnings }
}

/** `links: [db:store]` gives `db` another name where both are. */
function withLinks(services: BottleSpec['services'], project: ComposeProject): BottleSpec['services'] {
  const aliases = new Map<string, string[]>()
  for (const [name, { links = [] }] of Object.entries(project.services)) {
    for (const link of links) {
      const [target = '', alias] = link.split(':')
      if (alias === undefined || alias === target || !Object.hasOwn(services, target)) continue
      const own = services[name]!.networks.map(({ network }) => network)
      for (const { network } of services[target]!.networks) {
        if (own.includes(network)) aliases.getOrInsertComputed(`${target} ${network}`, () => []).push(alias)
      }
    }
  }
  if (aliases.size === 0) return services
  return Object.fromEntries(
    Object.entries(services).map(([name, service]): [string, BottleService] => [
      name,
      {
        ...service,
        networks: service.networks.map((one) => ({
          ...one,
          aliases: [...new Set([...one.aliases, ...(aliases.get(`${name} ${one.network}`) ?? [])])],
        })),
      },
    ]),
  )
}

/** Those that a service is in. */
function networksOf(
  services: BottleSpec['services'],
  { networks = {} }: ComposeProject,
  at: At,
): BottleSpec['networks'] {
  const used = new Set(Object.values(services).flatMap((service) => service.networks.map(({ network }) => network)))
  return Object.fromEntries([...used].map((key) => [key, toNetwork(networks[key] ?? {}, below(at, key))]))
}

/** Those that a service mounts. */
function volumesOf(services: BottleSpec['services'], { volumes = {} }: ComposeProject, at: At): BottleSpec['volumes'] {
  const used = new Set(
    Object.values(services).flatMap(({ mounts }) =>
      mounts.flatMap((mount) => (mount.type === 'volume' && mount.volume !== undefined ? [mount.volume] : [])),
    ),
  )
  return Object.fromEntries([...used].map((key) => [key, toVolume(volumes[key] ?? {}, below(at, key))]))
}

function toVolume({ name, external, labels = {} }: ComposeVolume, at: At): BottleSpec['volumes'][string] {
  const isExternal = yes(below(at, 'external'), external)
  return { ...(name !== undefined && { name }), ...(isExternal && { external: isExternal }), labels }
}
