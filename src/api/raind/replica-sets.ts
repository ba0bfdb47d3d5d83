import type { Resources } from '../../resources/index.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import { scaleBody, type WireReplicaSet } from './kube-types.ts'
import { wireReplicaSet, wireTemplate } from './pod-convert.ts'

/** Raind's verbs on replica sets, by id or by name in the default namespace. */
export function replicaSetRoutes(resources: Resources): readonly Route[] {
  return [
    route('GET', '/v1/replicasets', {}, () => {
      const sets: WireReplicaSet[] = resources
        .list('ReplicaSet')
        .map((set) => ({ ...wireReplicaSet(set), templateId: set.metadata.uid }))
      return success(200, 'retrieve replicaset list success', sets)
    }),

    route('GET', '/v1/replicasets/:replicaSetId', {}, ({ params }) => {
      const set = resources.find('ReplicaSet', params.replicaSetId)
      const data: WireReplicaSet = { ...wireReplicaSet(set), template: wireTemplate(set) }
      return success(200, 'retrieve replicaset success', data)
    }),

    route('POST', '/v1/replicasets/:replicaSetId/actions/scale', { body: scaleBody }, async ({ params, body }) => {
      const { metadata } = await resources.scale(params.replicaSetId, body.replicas)
      return success(200, 'replicaset scaled', { replicaSetId: metadata.uid, replicas: body.replicas })
    }),

    route('DELETE', '/v1/replicasets/:replicaSetId', {}, async ({ params }) => {
      const { uid } = await resources.delete('ReplicaSet', params.replicaSetId, undefined)
      return success(200, 'replicaset removed', { replicaSetId: uid })
    }),
  ]
}
