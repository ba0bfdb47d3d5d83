import type { Containers } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { StatusError } from '../../lib/errors.ts'
import { shortId } from '../../model/names.ts'
import type { Network } from '../../model/network.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import { toNetworkFilter, wireNetwork } from './network-convert.ts'
import {
  connectBody,
  createNetworkBody,
  disconnectBody,
  networkListQuery,
  type WireNetwork,
  type WireNetworkInspect,
} from './network-types.ts'
import { pruneBody, toPruneFilter, type WirePruned } from './prune.ts'

/** `daemon`: the context of what changes the machine, so that a client who hangs up does not stop it half way. */
export function networkRoutes(containers: Containers, daemon: Ctx): readonly Route[] {
  return [
    route('GET', '/v1/networks', { query: networkListQuery }, ({ query }) => {
      const users = Map.groupBy(
        [...containers.sandboxes().values()].flatMap(({ spec }) => spec.attachments),
        (attachment) => attachment.network,
      )
      const data: WireNetwork[] = containers
        .networks(toNetworkFilter(query))
        .map((network) => wireNetwork(network, users.get(network.metadata.name)?.length ?? 0))
      return success(200, 'network list', data)
    }),

    route('POST', '/v1/networks', { body: createNetworkBody }, async ({ body }) => {
      const { bridge: name, ...rest } = body
      const { spec } = await containers.createNetwork(daemon, { name, ...rest })
      const { subnet, gateway, ipv6 } = spec
      const range6 = ipv6 && { subnet6: ipv6.subnet, gateway6: ipv6.gateway }
      return success(200, 'network created', { bridge: name, subnet, gateway, ...range6 })
    }),

    route('POST', '/v1/networks/prune', { body: pruneBody }, async ({ body }) => {
      const data: WirePruned = await containers.pruneNetworks(daemon, toPruneFilter(body))
      return success(200, 'prune completed', data)
    }),

    route('GET', '/v1/networks/:network/inspect', {}, ({ params }) => {
      const data = inspect(containers, findNetwork(containers, params.network))
      return success(200, 'retrieve network success', data)
    }),

    route('DELETE', '/v1/networks/:network/actions/delete', {}, async ({ params }) => {
      await containers.removeNetwork(daemon, params.network)
      return success(200, 'network deleted', { bridge: params.network })
    }),

    route('POST', '/v1/networks/:network/actions/connect', { body: connectBody }, async ({ params, body }) => {
      const { container, ...rest } = body
      await containers.connect(daemon, container, { network: params.network, ...rest })
      return success(200, 'container connected', { bridge: params.network, container })
    }),

    route('POST', '/v1/networks/:network/actions/disconnect', { body: disconnectBody }, async ({ params, body }) => {
      await containers.disconnect(daemon, body.container, params.network)
      return success(200, 'container disconnected', { bridge: params.network, container: body.container })
    }),
  ]
}

function findNetwork(containers: Containers, name: string): Network {
  const network = containers.networks().find(({ metadata }) => metadata.name === name)
  if (network === undefined) throw new StatusError('not_found', `No such network: "${name.slice(0, 128)}"`)
  return network
}

function inspect(containers: Containers, network: Network): WireNetworkInspect {
  const sandboxes = containers.sandboxes()
  return {
    ...network,
    containers: containers.list().flatMap(({ metadata, spec }) => {
      const attachment = sandboxes
        .get(spec.sandboxId)
        ?.spec.attachments.find((attachment) => attachment.network === network.metadata.name)
      if (attachment === undefined) return []
      const { interface: link, addresses, mac, aliases } = attachment
      return [{ id: shortId(metadata.uid), name: metadata.name, interface: link, addresses, mac, aliases }]
    }),
  }
}
