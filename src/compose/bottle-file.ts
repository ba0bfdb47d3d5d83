import { addressFamily } from '../lib/ip-address.ts'
import { isObject } from '../lib/is-object.ts'
import type { BottleManifest, BottlePolicy, BottleService } from '../model/bottle.ts'
import { canonicalTree } from './canonical.ts'
import { type Fault, quoted, throwFaults, type Warning } from './faults.ts'
import type { ComposeProject, ComposeService } from './project.ts'
import { toManifest } from './to-manifest.ts'
import { type Json, mapOf, type Path, placeAt, plainOf, type Tree, treeOf } from './tree.ts'

type MapOf = Readonly<Record<string, unknown>>

const POLICY_TYPES = ['east-west', 'north-south_observe', 'north-south_enforce'] as const
const KEYS = {
  top: ['bottle', 'services', 'policies'],
  bottle: ['name'],
  service: ['image', 'command', 'entrypoint', 'env', 'ports', 'mount', 'network', 'tty', 'depends_on'],
  policy: ['type', 'source', 'destination', 'protocol', 'dest_port', 'comment'],
} as const
const CIDR = /\/\d{1,3}$/

export function isBottleTree(tree: Tree): boolean {
  return mapOf(tree).has('bottle')
}

/**
 * A bottle file of the original (contract, section 8), as the Compose project that it stands for: `env` is environment,
 * `mount` binds. Keys that it does not know are passed over, as by the original, with a warning.
 * @throws {StatusError} `invalid_argument`
 */
export function readBottleFile(tree: Tree): { manifest: BottleManifest; warnings: readonly Warning[] } {
  const faults: Fault[] = []
  const warnings: Warning[] = []
  const file = plainOf(tree) as MapOf
  const told = (found: readonly Fault[]) => found.map((one) => ({ place: placeAt(tree, one.path), ...one }))
  const fault = (path: Path, problem: string) => faults.push({ path, problem })
  const unknown = (value: unknown, known: readonly string[], path: Path) => {
    for (const key of Object.keys(isObject(value) ? value : {})) {
      if (!known.includes(key)) warnings.push({ path: [...path, key], problem: 'is unknown, and passed over' })
    }
  }
  const { bottle, services = null, policies = [] } = file
  unknown(file, KEYS.top, [])
  unknown(bottle, KEYS.bottle, ['bottle'])
  const name = isObject(bottle) ? bottle['name'] : undefined
  if (typeof name !== 'string') fault(['bottle', 'name'], 'is required')
  if (!isObject(services)) fault(['services'], 'must be an object')
  throwFaults(told(faults))

  const own = Object.entries(services as MapOf)
  const hasNetworks = own.some(([, service]) => isObject(service) && Boolean(service['network']))
  const project = {
    name: name as string,
    services: Object.fromEntries(
      own.map(([key, service]) => {
        unknown(service, KEYS.service, ['services', key])
        return [key, toCompose(service, hasNetworks, (problem) => fault(['services', key], problem))]
      }),
    ),
    networks: externalNetworks(own),
  }
  throwFaults(told(faults))
  const canonical = plainOf(canonicalTree(treeOf(project as unknown as Json, tree.place), faults))
  const read = toManifest(canonical as unknown as ComposeProject)
  faults.push(...read.faults)
  const kept = toPolicies(policies, Object.keys(project.services), fault, unknown)
  throwFaults(told(faults))
  const { spec } = read.manifest
  const named = Object.entries(spec.services).map(([key, service]): [string, BottleService] => [
    key,
    { ...service, containerName: `${name}-${key}`, replacesNames: true },
  ])
  return {
    manifest: { name: name as string, spec: { ...spec, services: Object.fromEntries(named), policies: kept } },
    warnings: told([...warnings, ...read.warnings]),
  }
}

function toCompose(service: unknown, hasNetworks: boolean, fault: (problem: string) => void): ComposeService | object {
  if (!isObject(service)) {
    fault('must be an object')
    return {}
  }
  const { image, command, entrypoint, env, ports, mount, network, tty, depends_on: dependsOn } = service
  for (const [key, list] of Object.entries({ command, entrypoint, env, ports, mount, depends_on: dependsOn })) {
    const isTexts = Array.isArray(list) && list.every((item) => typeof item === 'string' || typeof item === 'number')
    if (list !== undefined && list !== null && !isTexts) fault(`has a ${key} that is no list of texts`)
  }
  for (const [key, text] of Object.entries({ image, network })) {
    if (text !== undefined && text !== null && typeof text !== 'string') fault(`has a ${key} that is no text`)
  }
  if (tty !== undefined && typeof tty !== 'boolean') fault('has a tty that is neither true nor false')
  const volumes = (Array.isArray(mount) ? mount : []).map((text) => {
    const [source, target, mode] = String(text).split(':')
    return { type: 'bind', source, target, ...(mode === 'ro' && { read_only: true }) }
  })
  const place =
    typeof network === 'string' && network !== ''
      ? { networks: [network] }
      : hasNetworks
        ? { network_mode: 'bridge' }
        : {}
  return {
    ...(image != null && { image }),
    ...(command != null && { command }),
    ...(entrypoint != null && { entrypoint }),
    ...(env != null && { environment: env }),
    ...(ports != null && { ports }),
    ...(volumes.length > 0 && { volumes }),
    ...(tty === true && { tty }),
    ...(dependsOn != null && { depends_on: dependsOn }),
    ...place,
  }
}

function externalNetworks(services: readonly (readonly [string, unknown])[]) {
  const names = services.flatMap(([, service]) => {
    const network = isObject(service) ? service['network'] : undefined
    return typeof network === 'string' && network !== '' ? [network] : []
  })
  return Object.fromEntries(names.map((name) => [name, { name, external: true }]))
}

function toPolicies(
  policies: unknown,
  services: readonly string[],
  fault: (path: Path, problem: string) => void,
  unknown: (value: unknown, known: readonly string[], path: Path) => void,
): BottlePolicy[] {
  if (policies === null) return []
  if (!Array.isArray(policies)) {
    fault(['policies'], 'must be a list')
    return []
  }
  return policies.flatMap((policy: unknown, index): BottlePolicy[] => {
    const path: Path = ['policies', index]
    unknown(policy, KEYS.policy, path)
    const { type, source, destination, protocol, dest_port: port, comment } = isObject(policy) ? policy : {}
    const known = POLICY_TYPES.find((one) => one === type)
    if (known === undefined) {
      fault([...path, 'type'], `must be one of ${POLICY_TYPES.join(', ')}, not ${quoted(String(type))}`)
      return []
    }
    for (const [key, text] of Object.entries({ source, destination })) {
      if (typeof text !== 'string' || text === '') fault([...path, key], 'is required')
    }
    const to = String(destination)
    const isAddress = addressFamily(to.replace(CIDR, '')) !== undefined
    if (known === 'east-west' && isAddress)
      fault([...path, 'destination'], `must be one of ${services.join(', ')}, not an address`)
    if (known !== 'east-west' && !isAddress)
      fault([...path, 'destination'], 'must be an address or a range of addresses')
    const isPort = typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536
    if (port !== undefined && port !== 0 && !isPort) fault([...path, 'dest_port'], 'must be a port')
    return [
      {
        id: `p${index + 1}`,
        type: known,
        source: String(source),
        destination: to,
        ...(typeof protocol === 'string' && protocol !== '' && { protocol }),
        ...(isPort && { destPort: port }),
        ...(typeof comment === 'string' && comment !== '' && { comment }),
      },
    ]
  })
}
