import { isIP } from 'node:net'
import { didYouMean } from '../lib/did-you-mean.ts'
import { examine } from '../lib/examine.ts'
import { array, map, object, optional, type Static, string } from '../lib/schema.ts'
import { withoutUndefined } from '../lib/without-undefined.ts'
import type { BottleManifest, BottleMount, BottleNetwork, BottlePolicy, BottleService } from '../model/bottle.ts'
import { parseMount } from '../model/mount.ts'
import { parsePorts } from '../model/port.ts'
import { startOrder } from '../model/start-order.ts'
import { type Fault, quoted, sentenceOf, throwFaults } from './faults.ts'
import { MAX_SERVICES, NAME, NAME_RULE } from './project-name.ts'
import { isMap, type Json, mapOf, type Path, placeAt, type Tree, textOf } from './tree.ts'
import { type At, attempt, below, fault, integer, truth } from './values.ts'

const text = string({ maxLength: 131_072 })
const texts = array(text, { maxItems: 4096 })

/** The file of the original of Raind; all scalars are texts here, as its parser takes what fits. */
const FILE = object({
  bottle: object({ name: text }),
  services: map(
    object({
      image: text,
      command: optional(texts),
      env: optional(texts),
      ports: optional(texts),
      mount: optional(texts),
      network: optional(text),
      tty: optional(text),
      depends_on: optional(texts),
    }),
  ),
  policies: optional(
    array(
      object({
        type: text,
        source: text,
        destination: text,
        protocol: optional(text),
        dest_port: optional(text),
        comment: optional(text),
      }),
      { maxItems: 4096 },
    ),
  ),
})
type OriginalFile = Static<typeof FILE>
type OriginalService = OriginalFile['services'][string]
type OriginalPolicy = NonNullable<OriginalFile['policies']>[number]

/** Whether it is a bottle file of the original of Raind, and no Compose file. */
export function isOriginal(root: Tree): boolean {
  return mapOf(root).has('bottle')
}

/** @throws {StatusError} `invalid_argument` */
export function readOriginal(root: Tree): { manifest: BottleManifest; warnings: readonly string[] } {
  if (mapOf(mapOf(root).get('services')).size > MAX_SERVICES) {
    throwFaults(located([{ path: ['services'], problem: `are more than ${MAX_SERVICES}` }], root))
  }
  const { value, faults } = examine<OriginalFile>(FILE, textsOf(root))
  const told = faults.map(({ path, problem, known }) => ({ path: stepsOf(path), problem, known }))
  const wrong = told.filter(({ known }) => known === undefined)
  throwFaults(located(wrong, root))
  const warnings = told.filter(({ known }) => known !== undefined).map(({ path, known }) => unknownKey(path, known!))
  const at: At = { path: [], faults: [], warnings: [] }
  const manifest = toManifest(value, at)
  throwFaults(located(at.faults, root))
  return { manifest, warnings: located(warnings, root).map(sentenceOf) }
}

function located(faults: readonly Fault[], root: Tree): readonly Fault[] {
  return faults.map((fault) => ({ ...fault, place: placeAt(root, fault.path) }))
}

function unknownKey(path: Path, known: readonly string[]): Fault {
  const near = didYouMean(String(path.at(-1)).slice(0, 64), known)
  return { path, problem: `is unknown, and ignored${near === undefined ? '' : `; did you mean "${near}"?`}` }
}

/** `services.web.env[0]`: what has a dot in its name is told by what is above it. */
function stepsOf(path: string): Path {
  return [...path.matchAll(/\[(\d+)\]|[^.[]+/g)].map(([step, index]) => (index === undefined ? step : Number(index)))
}

function textsOf(tree: Tree): Json {
  if (isMap(tree)) return Object.fromEntries([...tree.value].map(([key, entry]) => [key, textsOf(entry)]))
  if (Array.isArray(tree.value)) return (tree.value as readonly Tree[]).map(textsOf)
  return tree.source !== undefined && tree.value !== null ? tree.source : (textOf(tree) ?? null)
}

function toManifest({ bottle: { name }, services, policies = [] }: OriginalFile, at: At): BottleManifest {
  if (!NAME.test(name))
    fault(below(at, 'bottle', 'name'), `is ${quoted(name)}, which is no name of a bottle: ${NAME_RULE}`)
  const names = Object.keys(services)
  if (names.length === 0) fault(at, 'services: there is none')
  const named = names.map((key) => services[key]!.network).filter((network) => network !== undefined && network !== '')
  // Where one service names a network, those that name none are on the daemon's default one.
  const unnamed = named.length === 0 ? 'default' : undefined
  const read = Object.fromEntries(
    names.map((key) => {
      const service = toService(key, services[key]!, services, unnamed, below(at, 'services', key))
      return [key, { ...service, containerName: `${name}-${key}` }]
    }),
  )
  attempt(below(at, 'services'), () => startOrder(read))
  const external = (network: string): BottleNetwork => ({ name: network, external: true, labels: {} })
  const used = new Set(Object.values(read).flatMap(({ networks }) => networks.map(({ network }) => network)))
  const networks = [...used].map((key) => [key, named.length === 0 ? { labels: {} } : external(key)] as const)
  const spec = {
    services: read,
    networks: Object.fromEntries(networks),
    volumes: {},
    policies: policies.map((policy, index) => toPolicy(policy, index, below(at, 'policies', index))),
  }
  return { name, spec }
}

function toService(
  name: string,
  service: OriginalService,
  services: OriginalFile['services'],
  unnamed: string | undefined,
  at: At,
): BottleService {
  const { image, command = [], env = [], ports = [], mount = [], network, depends_on: needed = [] } = service
  if (!NAME.test(name)) fault(at, `is no name of a service: ${NAME_RULE}`)
  if (image === '') fault(below(at, 'image'), 'must not be empty')
  for (const [index, entry] of env.entries()) {
    if (!/^[^=]+=/.test(entry)) fault(below(at, 'env', index), `must be NAME=value, not ${quoted(entry)}`)
  }
  for (const [index, other] of needed.entries()) {
    if (!Object.hasOwn(services, other)) fault(below(at, 'depends_on', index), `: there is no service ${quoted(other)}`)
  }
  const tty = service.tty === undefined || service.tty === '' ? false : truth(below(at, 'tty'), service.tty)
  return withoutUndefined({
    image,
    pull: 'missing' as const,
    // It replaces both: docs/adr/0003-command-and-args.md.
    ...(command.length > 0 && { entrypoint: [], command }),
    env,
    labels: {},
    ...(tty && { tty: true as const, openStdin: true as const }),
    ports: ports.flatMap((port, index) => attempt(below(at, 'ports', index), () => parsePorts(port)) ?? []),
    mounts: mount.flatMap((entry, index) => toMount(entry, below(at, 'mount', index)) ?? []),
    tmpfs: [],
    ...toNetworks(network || unnamed),
    dependsOn: Object.fromEntries(needed.map((other) => [other, { condition: 'started' as const, required: true }])),
    replicas: 1,
    resources: {},
    capAdd: [],
    capDrop: [],
    options: {},
    files: [],
    updateOrder: 'stop-first' as const,
    replacesNames: true as const,
  })
}

function toNetworks(network: string | undefined): Pick<BottleService, 'networks' | 'networkMode'> {
  return network === undefined ? { networks: [], networkMode: 'bridge' } : { networks: [{ network, aliases: [] }] }
}

function toMount(entry: string, at: At): BottleMount | undefined {
  const mount = attempt(at, () => parseMount(entry))
  if (mount === undefined) return undefined
  if (!('source' in mount))
    return fault(at, `must be a path of the host and one of the container, not ${quoted(entry)}`)
  const { source, destination, readOnly, propagation } = mount
  return { type: 'bind', source, destination, readOnly, createSource: false, propagation }
}

const POLICY_TYPES = ['east-west', 'north-south_observe', 'north-south_enforce'] as const

/** East-west is between containers, north-south to what is outside. */
function toPolicy(policy: OriginalPolicy, index: number, at: At): BottlePolicy {
  const { source, destination, protocol, dest_port: port, comment } = policy
  const type = POLICY_TYPES.find((known) => known === policy.type)
  if (type === undefined)
    fault(below(at, 'type'), `must be one of ${POLICY_TYPES.join(', ')}, not ${quoted(policy.type)}`)
  for (const key of ['source', 'destination'] as const)
    if (policy[key] === '') fault(below(at, key), 'must not be empty')
  const isAddress = isAddressOrRange(destination)
  if (type === 'east-west' && isAddress)
    fault(below(at, 'destination'), `must be a service, not ${quoted(destination)}`)
  if (type !== undefined && type !== 'east-west' && !isAddress) {
    fault(below(at, 'destination'), `must be an address or a range such as 10.0.0.0/8, not ${quoted(destination)}`)
  }
  return withoutUndefined({
    id: `p${index + 1}`,
    type: type ?? 'east-west',
    source,
    destination,
    protocol: protocol || undefined,
    destPort:
      port === undefined || port === '' ? undefined : integer(below(at, 'dest_port'), port, 0, 65_535) || undefined,
    comment: comment || undefined,
  })
}

function isAddressOrRange(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}
