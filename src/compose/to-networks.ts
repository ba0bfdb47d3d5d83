import { addressFamily, canonicalAddress, type Family } from '../lib/ip-address.ts'
import { isObject } from '../lib/is-object.ts'
import { withoutUndefined } from '../lib/without-undefined.ts'
import type { BottleAttachment, BottleNetwork, BottleService } from '../model/bottle.ts'
import { HOST_NAME } from '../model/dns.ts'
import { validateNameOrId } from '../model/names.ts'
import { isHostOf, parseContainerSubnet, parseSubnet } from '../model/subnet.ts'
import { quoted } from './faults.ts'
import type { ComposeAttachment, ComposeNetwork, ComposeProject, ComposeService } from './project.ts'
import { joinRefusal } from './to-options.ts'
import { type At, attempt, below, fault, integer, truth, warn } from './values.ts'

const MTU = 'com.docker.network.driver.mtu'

export interface ServiceNetworks {
  readonly networks: readonly BottleAttachment[]
  readonly networkMode?: NonNullable<BottleService['networkMode']>
}

/** The networks that a service is in, that with the default route first. */
export function toServiceNetworks(
  { network_mode: mode, networks }: ComposeService,
  project: ComposeProject,
  linkAliases: ReadonlyMap<string, readonly string[]>,
  at: At,
): ServiceNetworks {
  const here = below(at, 'network_mode')
  if (mode !== undefined && networks !== undefined && Object.keys(networks).length > 0) {
    fault(here, 'cannot be there beside networks: leave out one of the two')
  }
  switch (mode) {
    case 'host':
    case 'none':
    case 'bridge':
      return { networks: [], networkMode: mode }
    case undefined: {
      const named = Object.entries(networks ?? {})
      const own = named.length > 0 ? named : [['default', null] as const]
      const attachments = own.toSorted(byPriority).flatMap(([key, attachment]) => {
        const place = below(at, 'networks', key)
        const network = project.networks?.[key]
        if (!isNamed(project, key) && key !== 'default') return fault(place, 'is not under networks') ?? []
        return toAttachment(key, attachment ?? {}, network ?? {}, linkAliases.get(key) ?? [], place)
      })
      return { networks: attachments }
    }
    default: {
      const problem = /^(?:service|container):/.test(mode)
        ? joinRefusal(mode)
        : `must be host, none or bridge, not ${quoted(mode)}`
      fault(here, problem)
      return { networks: [] }
    }
  }
}

function isNamed({ networks = {} }: ComposeProject, key: string): boolean {
  return Object.hasOwn(networks, key)
}

type Named = readonly [string, ComposeAttachment | null]

function byPriority([a, one]: Named, [b, other]: Named): number {
  const gateway = (other?.gw_priority ?? 0) - (one?.gw_priority ?? 0)
  return gateway || (other?.priority ?? 0) - (one?.priority ?? 0) || (a < b ? -1 : 1)
}

function toAttachment(
  network: string,
  { aliases = [], ipv4_address, ipv6_address }: ComposeAttachment,
  definition: ComposeNetwork,
  linked: readonly string[],
  at: At,
): BottleAttachment {
  for (const [index, alias] of aliases.entries()) {
    if (!HOST_NAME.test(alias)) fault(below(at, 'aliases', index), `is ${quoted(alias)}, which is no name of a host`)
  }
  return withoutUndefined({
    network,
    aliases: [...new Set([...aliases, ...linked])],
    address: toAddress(ipv4_address, 4, definition, below(at, 'ipv4_address')),
    address6: toAddress(ipv6_address, 6, definition, below(at, 'ipv6_address')),
  })
}

function toAddress(text: string | undefined, family: Family, network: ComposeNetwork, at: At): string | undefined {
  if (text === undefined) return undefined
  if (addressFamily(text) !== family) return fault(at, `must be an address of IPv${family}, not ${quoted(text)}`)
  const address = canonicalAddress(text)
  const subnet = subnetsOf(network).find((other) => familyOf(other) === family)
  // Of what is not the project's nothing is known.
  const isElsewhere = network.external !== undefined && network.external !== false
  if (isElsewhere) return address
  if (subnet === undefined) return fault(at, `needs a network with a subnet of IPv${family}`)
  const isWithin = attempt(at, () => isHostOf(parseSubnet(subnet, family), address)) ?? true
  return isWithin ? address : fault(at, `is ${address}, which is no address of ${subnet}`)
}

function subnetsOf({ ipam }: ComposeNetwork): readonly string[] {
  return (ipam?.config ?? []).flatMap(({ subnet }) => subnet ?? [])
}

function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4
}

/** The networks of the project that its services are in; `default` need not be named. */
export function toNetworks(
  project: ComposeProject,
  used: ReadonlySet<string>,
  at: At,
): Readonly<Record<string, BottleNetwork>> {
  const entries = [...used].toSorted().map((key) => {
    const network = isNamed(project, key) ? project.networks![key]! : {}
    return [key, toNetwork(key, network ?? {}, below(at, key))] as const
  })
  return Object.fromEntries(entries)
}

function toNetwork(key: string, network: ComposeNetwork, at: At): BottleNetwork {
  const { labels = {}, name } = network
  if (name !== undefined) attempt(below(at, 'name'), () => validateNameOrId('network', name))
  if (truth(below(at, 'external'), network.external)) {
    tellOfExternal(network, at)
    return { name: name ?? key, external: true, labels: {} }
  }
  const ranges = toRanges(network, below(at, 'ipam', 'config'))
  const hasIpv6 = truth(below(at, 'enable_ipv6'), network.enable_ipv6)
  if (hasIpv6 === false && ranges.subnet6 !== undefined) {
    fault(below(at, 'enable_ipv6'), `is false, and there is the subnet ${ranges.subnet6}`)
  }
  return withoutUndefined({
    name,
    ...ranges,
    ipv6: hasIpv6 || ranges.subnet6 !== undefined ? (true as const) : undefined,
    mtu: toMtu(network, below(at, 'driver_opts')),
    labels,
  })
}

/** What is there already is not made as a file says. */
export function tellOfExternal(entry: object, at: At): void {
  const others = Object.keys(entry).filter((key) => !['external', 'name'].includes(key) && !key.startsWith('x-'))
  if (others.length > 0) fault(at, `is external, and not made here: leave out ${others.join(', ')}`)
}

function toMtu({ driver_opts: options }: ComposeNetwork, at: At): number | undefined {
  if (!isObject(options)) return undefined
  for (const key of Object.keys(options)) if (key !== MTU) warn(below(at, key), 'is not honoured')
  return Object.hasOwn(options, MTU) ? integer(below(at, MTU), options[MTU], 576, 65_535) : undefined
}

type Ranges = Pick<BottleNetwork, 'subnet' | 'gateway' | 'subnet6' | 'gateway6'>

function toRanges({ ipam }: ComposeNetwork, at: At): Ranges {
  let ranges: Ranges = {}
  for (const [index, { subnet: text, gateway }] of (ipam?.config ?? []).entries()) {
    const here = below(at, index)
    if (text === undefined) {
      if (gateway !== undefined) fault(below(here, 'gateway'), 'needs a subnet')
      continue
    }
    const family = familyOf(text)
    const subnet = attempt(below(here, 'subnet'), () => parseContainerSubnet(text, family))
    const isTaken = (family === 4 ? ranges.subnet : ranges.subnet6) !== undefined
    if (isTaken) fault(below(here, 'subnet'), `is a second one of IPv${family}: a network has one`)
    if (subnet !== undefined && gateway !== undefined && !isHostOf(subnet, gateway)) {
      fault(below(here, 'gateway'), `is ${quoted(gateway)}, which is no address of ${text}`)
    }
    ranges = {
      ...ranges,
      ...(family === 4
        ? { subnet: text, ...(gateway && { gateway }) }
        : { subnet6: text, ...(gateway && { gateway6: gateway }) }),
    }
  }
  return ranges
}
