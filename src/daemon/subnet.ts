import { StatusError } from '../lib/errors.ts'
import type { NetworkSpec } from '../model/network.ts'
import {
  addressOf,
  isHostOf,
  parseContainerSubnet,
  parseSubnet,
  subnetAround,
  subnetsOverlap,
  subnetText,
} from '../model/subnet.ts'

/** The default network's share of the subnet: 4096 addresses. */
const NETWORK_PREFIX = 20
const GATEWAY_OFFSET = 254n

/**
 * The default network: the first /20 of the subnet (all of it if it is smaller), with the gateway at its 254th
 * address (the last one if it has fewer) unless one is given. @throws {StatusError} `invalid_argument`
 */
export function defaultNetwork(bridge: string, subnet: string, gateway?: string): NetworkSpec {
  const { first, prefix } = parseContainerSubnet(subnet, 4)
  const own = subnetAround(first, Math.max(prefix, NETWORK_PREFIX), 4)
  const wanted = own.first + GATEWAY_OFFSET
  const address = gateway ?? addressOf(wanted < own.last ? wanted : own.last - 1n, 4)
  if (!isHostOf(own, address)) {
    throw new StatusError(
      'invalid_argument',
      `Invalid gateway "${address}": it is not a host address of ${subnetText(own)}`,
    )
  }
  return { bridge, subnet: subnetText(own), gateway: address }
}

/**
 * Addresses of Services must be nobody's else. A route to more than the subnet may stay: all but the Services is still
 * reached by it. `subnets` are those that the host is in, `routes` what it has routes to, all as CIDR text.
 * @throws {StatusError} `invalid_argument`
 */
export function assertServiceSubnetIsFree(
  serviceSubnet: string,
  host: { readonly subnets: readonly string[]; readonly routes: readonly string[] },
): void {
  const wanted = parseSubnet(serviceSubnet)
  const taken = [
    ...host.subnets.map((text) => parseSubnet(text)).filter((subnet) => subnetsOverlap(subnet, wanted)),
    ...host.routes
      .map((text) => parseSubnet(text))
      .filter((subnet) => subnetsOverlap(subnet, wanted) && subnet.prefix >= wanted.prefix),
  ]
  if (taken.length === 0) return
  throw new StatusError(
    'invalid_argument',
    `Invalid configuration: serviceSubnet ${serviceSubnet} overlaps with ${subnetText(taken[0]!)} of this host: choose another one`,
  )
}
