/** The wire of /v1/networks: what is sent as interfaces, what is taken as schemas. */

import { array, boolean, integer, map, object, optional, type Static, string } from '../../lib/schema.ts'
import type { Labels } from '../../model/meta.ts'
import type { Network } from '../../model/network.ts'
import { labelTerms } from './prune.ts'

export interface WireNetwork {
  readonly Interface: string
  /** The gateway, with the prefix length. */
  readonly Address: string
  readonly NumContainers: number
  /** What follows is not in the contract. */
  readonly Name: string
  readonly Subnet: string
  readonly Labels: Labels
  /** The same of IPv6, if the network has it. */
  readonly Address6?: string
  readonly Subnet6?: string
}

export interface WireNetworkInspect extends Network {
  readonly containers: readonly {
    readonly id: string
    readonly name: string
    readonly interface: string
    readonly addresses: readonly string[]
    readonly mac: string
    readonly aliases: readonly string[]
  }[]
}

const text = string({ maxLength: 131_072 })

/** How a container is attached, beside to what. */
export const attachFields = {
  aliases: optional(array(text, { maxItems: 4096 })),
  address: optional(text),
  address6: optional(text),
}
export const createNetworkBody = object({
  /** The network's name: of its bridge too, where that can be one. */
  bridge: text,
  subnet: optional(text),
  gateway: optional(text),
  /** A subnet or a gateway of IPv6 asks for it too. */
  ipv6: optional(boolean()),
  subnet6: optional(text),
  gateway6: optional(text),
  mtu: optional(integer({ minimum: 576, maximum: 65_535 })),
  labels: optional(map(text)),
})
export const connectBody = object({ container: text, ...attachFields })
export const disconnectBody = object({ container: text })
export const networkListQuery = object({
  label: optional(labelTerms),
  name: optional(array(text)),
  /** Whether no container is attached. */
  dangling: optional(boolean()),
})
export type NetworkListQuery = Static<typeof networkListQuery>
