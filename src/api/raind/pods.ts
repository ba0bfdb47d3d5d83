import type { Containers } from '../../containers/index.ts'
import type { Resources } from '../../resources/index.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import { createPodBody, type WirePod } from './kube-types.ts'
import { toPodManifest, wirePod } from './pod-convert.ts'

/** Raind's verbs on pods, by id or by name in the default namespace. */
export function podRoutes(resources: Resources, { pods }: Containers): readonly Route[] {
  return [
    route('GET', '/v1/pods', {}, () => {
      const found: WirePod[] = resources.list('Pod').map((pod) => wirePod(pod, pods.list(pod.metadata.uid)))
      return success(200, 'retrieve pod list success', found.length === 0 ? null : found)
    }),

    route('POST', '/v1/pods', { body: createPodBody }, async ({ body }) => {
      const podId = await resources.createStopped(JSON.stringify(toPodManifest(body)), body.containers?.[0]?.network)
      return success(200, 'pod created', { podId })
    }),

    route('GET', '/v1/pods/:podId', {}, ({ params }) => {
      const pod = resources.find('Pod', params.podId)
      const data: WirePod = wirePod(pod, pods.list(pod.metadata.uid))
      return success(200, 'retrieve pod success', data)
    }),

    route('POST', '/v1/pods/:podId/actions/start', {}, async ({ params }) => {
      const { metadata } = await resources.setStopped(params.podId, false)
      return success(200, 'pod started', { podId: metadata.uid })
    }),

    route('POST', '/v1/pods/:podId/actions/stop', {}, async ({ params }) => {
      const { metadata } = await resources.setStopped(params.podId, true)
      return success(200, 'pod stopped', { podId: metadata.uid })
    }),

    route('DELETE', '/v1/pods/:podId', {}, async ({ params }) => {
      const { uid } = await resources.delete('Pod', params.podId, undefined)
      return success(200, 'pod removed', { podId: uid })
    }),
  ]
}
