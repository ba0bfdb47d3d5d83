import type { Containers } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import { pruneAllBody, toPruneFilter, type WirePruned } from './prune.ts'
import { toVolumeFilter, wireVolume } from './volume-convert.ts'
import { createVolumeBody, volumesQuery, type WireVolume } from './volume-types.ts'

/** `daemon`: the context of what changes the machine, so that a client who hangs up does not stop it half way. */
export function volumeRoutes({ volumes }: Containers, daemon: Ctx): readonly Route[] {
  return [
    route('GET', '/v1/volumes', { query: volumesQuery }, ({ query }) => {
      const data: WireVolume[] = volumes.list(toVolumeFilter(query)).map(wireVolume)
      return success(200, 'volume list', data)
    }),

    route('POST', '/v1/volumes', { body: createVolumeBody }, async ({ body }) => {
      const { name, labels } = body
      const data: WireVolume = wireVolume(
        await volumes.create(daemon, withoutUndefined({ name: name || undefined, labels })),
      )
      return success(200, 'volume created', data)
    }),

    route('POST', '/v1/volumes/prune', { body: pruneAllBody }, async ({ body }) => {
      const data: WirePruned = await volumes.prune(daemon, { ...toPruneFilter(body), all: body.all ?? false })
      return success(200, 'prune completed', data)
    }),

    route('GET', '/v1/volumes/:name', {}, ({ params }) => {
      const data: WireVolume = wireVolume(volumes.find(params.name))
      return success(200, 'retrieve volume success', data)
    }),

    route('DELETE', '/v1/volumes/:name', {}, async ({ params }) => {
      await volumes.remove(daemon, params.name)
      return success(200, 'volume deleted', { name: params.name })
    }),
  ]
}
