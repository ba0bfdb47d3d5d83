import { addressFamily } from '../lib/ip-address.ts'
import { withoutUndefined } from '../lib/without-undefined.ts'
import type { BottleAttachment, BottleNetwork, BottleService } from '../model/bottle.ts'
import { parseContainerSubnet } from '../model/subnet.ts'
import { quoted } from './faults.ts'
import type { ComposeAttachment, ComposeNetwork, ComposeProject, ComposeService } from './project.ts'
import { joinRefusal } from './to-options.ts'
import { type At, attempt, below, fault, integer, truth, warn, yes } from './values.ts'

/** Of services that name none. */
export const DEFAULT_NETWORK = 'default'
const MTU = 'com.docker.network.driver.mtu'

/** What a service is in. */
export function toAttachments(
  service: ComposeService,
  project: ComposeProject,
  at: At,
): Pick<BottleService, 'networks' | 'networkMode'> {
  const { network_mode: mode, networks } = service
  const names = Object.keys(networks ?? {})
  if (mode !== undefined) {
    if (names.length > 0) fault(below(at, 'network_mode'), 'cannot go with networks')
    return { networks: [], ...toMode(mode, below(at, 'network_mode')) }
  }
  if (names.length === 0) return { networks: [{ network: DEFAULT_NETWORK, aliases: [] }] }
  const attachments = names.map((name) =>
    toAttachment(name, networks![name] ?? {}, project, below(at, 'networks', name)),
  )
  const priority = (name: string) => {
    const { gw_priority: gateway = 0, priority = 0 } = networks![name] ?? {}
    return [gateway, priority] as const
  }
  const byPriority = (a: BottleAttachment, b: BottleAttachment) => {
    const [one, other] = [priority(a.network), priority(b.network)]
    return other[0] - one[0] || other[1] - one[1]
  }
  return { networks: attachments.toSorted(byPriority) }
}

function toMode(mode: string, at: At): Pick<BottleService, 'networkMode'> {
  if (mode === 'host' || mode === 'none' || mode === 'bridge') return { networkMode: mode }
  if (/^(?:service|container):/.test(mode)) fault(at, joinRefusal(mode))
  else fault(at, `must be host, none or bridge, not ${quoted(mode)}`)
  return {}
}

function toAttachment(
  network: string,
  { aliases = [], ipv4_address: address, ipv6_address: address6 }: ComposeAttachment,
  project: ComposeProject,
  at: At,
): BottleAttachment {
  if (network !== DEFAULT_NETWORK && !Object.hasOwn(project.networks ?? {}, network)) {
    fault(at, 'is not under networks')
  }
  if (address !== undefined && addressFamily(address) !== 4) fault(below(at, 'ipv4_address'), 'is no address of IPv4')
  if (address6 !== undefined && addressFamily(address6) !== 6) fault(below(at, 'ipv6_address'), 'is no address of IPv6')
  return withoutUndefined({ network, aliases, address, address6 })
}

export function toNetwork(network: ComposeNetwork, at: At): BottleNetwork {
  const { external, enable_ipv6: ipv6, ipam, driver_opts: options = {}, labels = {}, name } = network
  const [four, six] = toSubnets(ipam?.config ?? [], below(at, 'ipam', 'config'))
  for (const key of Object.keys(options)) if (key !== MTU) warn(below(at, 'driver_opts', key), 'is not honoured')
  return withoutUndefined({
    name,
    external: yes(below(at, 'external'), external),
    subnet: four?.subnet,
    gateway: four?.gateway,
    ipv6: truth(below(at, 'enable_ipv6'), ipv6) || six !== undefined || undefined,
    subnet6: six?.subnet,
    gateway6: six?.gateway,
    mtu: integer(below(at, 'driver_opts', MTU), options[MTU], 68, 65_535),
    labels,
  })
}

type Range = { readonly subnet: string; readonly gateway?: string }

/** That of IPv4, and that of IPv6. */
function toSubnets(
  config: readonly { readonly gateway?: string; readonly subnet?: string }[],
  at: At,
): [Range | undefined, Range | undefined] {
  const found: [Range | undefined, Range | undefined] = [undefined, undefined]
  for (const [index, { subnet, gateway }] of config.entries()) {
    const here = below(at, index)
    if (subnet === undefined) {
      if (gateway !== undefined) fault(here, 'has a gateway, and needs its subnet')
      continue
    }
    const family = subnet.includes(':') ? 6 : 4
    attempt(below(here, 'subnet'), () => parseContainerSubnet(subnet, family))
    const place = family === 4 ? 0 : 1
    if (found[place] !== undefined) fault(here, `is a second subnet of IPv${family}: a network has one`)
    found[place] = { subnet, ...(gateway !== undefined && { gateway }) }
  }
  return found
}
