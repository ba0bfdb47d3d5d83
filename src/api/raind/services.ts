import { MAX_MANIFEST_BYTES, type Resources } from '../../resources/index.ts'
import { readText } from '../http/body.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import type { WireService } from './kube-types.ts'
import { RAIND_APPLY } from './manifests.ts'
import { wireService } from './pod-convert.ts'

/** Raind's verbs on services, by id or by name in the default namespace. */
export function serviceRoutes(resources: Resources): readonly Route[] {
  return [
    route('GET', '/v1/services', {}, () => {
      const services: WireService[] = resources.list('Service').map(wireService)
      return success(200, 'retrieve service list success', services)
    }),

    route('POST', '/v1/services', {}, async ({ stream }) => {
      const { metadata } = await resources.createService(await readText(stream, MAX_MANIFEST_BYTES), RAIND_APPLY)
      return success(201, 'service created', { serviceId: metadata.uid })
    }),

    route('GET', '/v1/services/:serviceId', {}, ({ params }) => {
      const service = resources.find('Service', params.serviceId)
      const { selector } = service.spec
      const data: WireService = { ...wireService(service), ...(selector !== undefined && { selector }) }
      return success(200, 'retrieve service success', data)
    }),

    route('DELETE', '/v1/services/:serviceId', {}, async ({ params }) => {
      const { uid } = await resources.delete('Service', params.serviceId, undefined)
      return success(200, 'service removed', { serviceId: uid })
    }),
  ]
}
