import { type Bottles, type Member, networkName } from '../../bottles/index.ts'
import type { Containers } from '../../containers/index.ts'
import type { Bottle, BottleMount, BottleService } from '../../model/bottle.ts'
import { type BottleState, bottleState } from '../../model/bottle-state.ts'
import { shortId } from '../../model/names.ts'
import type { PortMapping } from '../../model/network.ts'
import { startOrder } from '../../model/start-order.ts'
import type { WireBottle, WireBottleService, WireBottleSummary, WireRegisteredBottle } from './bottle-types.ts'
import { orNull, wireContainer, wireTime } from './convert.ts'

export function wireRegisteredBottle({ metadata, spec }: Bottle, warnings: readonly string[]): WireRegisteredBottle {
  return {
    bottleId: shortId(metadata.uid),
    bottleName: metadata.name,
    services: Object.keys(spec.services).toSorted(),
    startOrder: startOrder(spec.services).flat(),
    warnings: orNull([...(spec.policies.length > 0 ? [NOT_ENFORCED] : []), ...warnings]),
  }
}

/** A file that closes all but some ways must not be taken for closed. */
const NOT_ENFORCED =
  'policies are NOT ENFORCED yet: they are kept and shown, and every container reaches whatever its networks reach'

export function wireBottleSummary(bottle: Bottle, bottles: Bottles): WireBottleSummary {
  return {
    bottleId: shortId(bottle.metadata.uid),
    bottleName: bottle.metadata.name,
    serviceCount: Object.keys(bottle.spec.services).length,
    status: stateOf(bottle, bottles.members(bottle)),
  }
}

export function wireBottle(bottle: Bottle, bottles: Bottles, containers: Containers): WireBottle {
  const { metadata, spec } = bottle
  const members = bottles.members(bottle).map((member) => ({
    service: member.service,
    number: member.number,
    container: wireContainer(member.container, containers.sandboxOf(member.container)),
  }))
  const [network, ...others] = Object.keys(spec.networks)
  return {
    bottleId: shortId(metadata.uid),
    bottleName: metadata.name,
    status: stateOf(bottle, bottles.members(bottle)),
    services: Object.fromEntries(Object.entries(spec.services).map(([name, own]) => [name, wireService(bottle, own)])),
    startOrder: startOrder(spec.services).flat(),
    // The first one of each stays.
    containers: Object.fromEntries(members.toReversed().map(({ service, container }) => [service, container])),
    members,
    ...(spec.policies.length > 0 && { policies: spec.policies }),
    ...(network !== undefined &&
      others.length === 0 && {
        network: networkName(bottle, network),
        networkAuto: spec.networks[network]!.external !== true,
      }),
    createdAt: wireTime(metadata.createdAt),
  }
}

function stateOf({ spec }: Bottle, members: readonly Member[]): BottleState {
  const wanted = Object.values(spec.services).reduce((sum, { replicas }) => sum + replicas, 0)
  return bottleState(
    members.map(({ container }) => container),
    wanted,
  )
}

function wireService(bottle: Bottle, own: BottleService): WireBottleService {
  const network = own.networkMode ?? (own.networks[0] && networkName(bottle, own.networks[0].network))
  const dependsOn = Object.keys(own.dependsOn)
  return {
    image: own.image,
    ...(own.command !== undefined && { command: own.command }),
    ...(own.env.length > 0 && { env: own.env }),
    ...(own.ports.length > 0 && { ports: own.ports.map(portText) }),
    ...(own.mounts.length > 0 && { mount: own.mounts.map(mountText) }),
    ...(network !== undefined && { network }),
    ...(own.tty && { tty: true }),
    ...(dependsOn.length > 0 && { dependsOn }),
    replicas: own.replicas,
  }
}

function portText({ hostIp, hostPort, containerPort, protocol }: PortMapping): string {
  const host = hostIp === '' ? '' : `${hostIp.includes(':') ? `[${hostIp}]` : hostIp}:`
  return `${host}${hostPort}:${containerPort}${protocol === 'tcp' ? '' : `/${protocol}`}`
}

function mountText(mount: BottleMount): string {
  const source = mount.type === 'bind' ? mount.source : (mount.volume ?? '')
  return `${source === '' ? '' : `${source}:`}${mount.destination}${mount.readOnly ? ':ro' : ''}`
}
