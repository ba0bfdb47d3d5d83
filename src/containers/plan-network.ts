import { randomBytes, randomUUID } from 'node:crypto'
import { StatusError } from '../lib/errors.ts'
import { addressText, canonicalAddress, type Family } from '../lib/ip-address.ts'
import type { AddressRange, NetworkSpec } from '../model/network.ts'
import {
  addressOf,
  freeSubnet,
  isHostOf,
  parseContainerSubnet,
  parseSubnet,
  type Subnet,
  subnetsOverlap,
  subnetText,
} from '../model/subnet.ts'
import type { ReadTx, WriteTx } from '../store/index.ts'
import type { Deps } from './deps.ts'
import type { CreateNetwork } from './types.ts'

/** What a network gets that names no subnet, and where its gateway is. */
const SHARES = {
  // 254 addresses; the contract's gateway.
  4: { prefix: 24, gatewayOffset: 254n },
  // What a link has (RFC 4291 2.5.4); docker's gateway.
  6: { prefix: 64, gatewayOffset: 1n },
} as const
/** Local and random (RFC 4193 3.1): fd, 40 bits that nobody else is likely to have drawn. */
const LOCAL_PREFIX = 48

/**
 * The network that is asked for, with the subnets and gateways that were left open; `ofHost` are the subnets that the
 * host is in. @throws {StatusError} `invalid_argument`, `conflict`, `resource_exhausted`
 */
export function planNetwork(
  tx: WriteTx,
  { defaults }: Pick<Deps, 'defaults'>,
  request: CreateNetwork,
  { bridge, ofHost }: { readonly bridge: string; readonly ofHost: readonly Subnet[] },
): NetworkSpec {
  const { subnet, gateway, subnet6, gateway6, mtu } = request
  if (!wantsIpv6(request) && (subnet6 ?? gateway6) !== undefined) {
    throw new StatusError('invalid_argument', 'A network without IPv6 has neither an IPv6 subnet nor such a gateway')
  }
  const services = { owner: 'the addresses of Services', subnet: parseSubnet(defaults.serviceSubnet) }
  const others = [services, ...ofHost.map((subnet) => ({ owner: `${subnetText(subnet)} of this host`, subnet }))]
  const range = planRange(tx, others, 4, { subnet, gateway, pool: () => defaults.subnetPool })
  const pool6 = () => defaults.subnetPool6 ?? localPrefix(tx)
  const range6 = wantsIpv6(request) && planRange(tx, others, 6, { subnet: subnet6, gateway: gateway6, pool: pool6 })
  return { bridge, ...range, ...(range6 && { ipv6: range6 }), ...(mtu !== undefined && { mtu }) }
}

export function wantsIpv6({ ipv6, subnet6, gateway6 }: CreateNetwork): boolean {
  return ipv6 ?? (subnet6 !== undefined || gateway6 !== undefined)
}

interface Taken {
  readonly owner: string
  readonly subnet: Subnet
}

interface WantedRange {
  readonly subnet: string | undefined
  readonly gateway: string | undefined
  /** Where a subnet comes from that was not given. */
  readonly pool: () => string
}

function planRange(tx: ReadTx, others: readonly Taken[], family: Family, wanted: WantedRange): AddressRange {
  const ofNetworks = tx.list('Network').flatMap(({ metadata, spec }) =>
    [spec.subnet, ...(spec.ipv6 === undefined ? [] : [spec.ipv6.subnet])].map((text) => ({
      owner: `network "${metadata.name}"`,
      subnet: parseSubnet(text),
    })),
  )
  const taken = [...ofNetworks, ...others]
  const subnet =
    wanted.subnet === undefined
      ? freeSubnetOf(
          wanted.pool(),
          family,
          taken.map(({ subnet }) => subnet),
        )
      : parseContainerSubnet(wanted.subnet, family)
  const clash = taken.find((other) => subnetsOverlap(other.subnet, subnet))
  if (clash !== undefined) {
    throw new StatusError('conflict', `Subnet ${subnetText(subnet)} overlaps with ${clash.owner}: choose another one`)
  }
  return { subnet: subnetText(subnet), gateway: gatewayOf(subnet, wanted.gateway) }
}

function gatewayOf(subnet: Subnet, wanted: string | undefined): string {
  if (wanted === undefined) {
    const usual = subnet.first + SHARES[subnet.family].gatewayOffset
    return addressOf(usual < subnet.last ? usual : subnet.last - 1n, subnet.family)
  }
  if (isHostOf(subnet, wanted)) return canonicalAddress(wanted)
  throw new StatusError(
    'invalid_argument',
    `Invalid gateway "${wanted.slice(0, 60)}": it is not a host address of ${subnetText(subnet)}`,
  )
}

function freeSubnetOf(pool: string, family: Family, taken: readonly Subnet[]): Subnet {
  const free = freeSubnet(parseSubnet(pool), SHARES[family].prefix, taken)
  if (free !== undefined) return free
  throw new StatusError('resource_exhausted', `No subnet of ${pool} is free: name one, or remove networks`)
}

/** This daemon's own, drawn when the first network needs it. */
function localPrefix(tx: WriteTx): string {
  const known = tx.get('AddressPool', 'ipv6')
  if (known !== undefined) return known.spec.subnet
  const address = addressText(Buffer.concat([Buffer.of(0xfd), randomBytes(5), Buffer.alloc(10)]))
  const spec = { subnet: `${address}/${LOCAL_PREFIX}` }
  const owner = { frontEnd: 'condenser', kind: 'Daemon', uid: 'default' } as const
  return tx.create('AddressPool', { name: 'ipv6', uid: randomUUID(), owner, spec, status: {} }).spec.subnet
}
