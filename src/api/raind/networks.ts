import type { Containers } from '../../containers/index.ts'
import { type Route, route } from '../http/route.ts'
import { wireNetwork } from './convert.ts'
import { success } from './envelope.ts'
import type { WireNetwork } from './types.ts'

export function networkRoutes(containers: Containers): readonly Route[] {
  return [
    route('GET', '/v1/networks', {}, () => {
      const users = Map.groupBy(
        [...containers.sandboxes().values()].flatMap(({ spec }) => spec.attachments),
        (attachment) => attachment.network,
      )
      const data: WireNetwork[] = containers
        .networks()
        .map((network) => wireNetwork(network, users.get(network.metadata.name)?.length ?? 0))
      return success(200, 'network list', data)
    }),
  ]
}
