import { StatusError } from '../../lib/errors.ts'
import { withoutUndefined } from '../../lib/without-undefined.ts'
import type { Event } from '../../model/event.ts'
import { KUBE_KINDS, type KubeKind } from '../../model/kube/kinds.ts'
import { parseSelector } from '../../model/kube/parse-selector.ts'
import { kubeObject, type ListOptions, type Resources } from '../../resources/index.ts'
import { stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import type { EventSource } from './events.ts'
import { jsonLines } from './json-lines.ts'
import { deleteObjectQuery, objectQuery, objectsQuery, type WireObjectEvent } from './kube-types.ts'
import { NDJSON } from './types.ts'

/** Objects of any kind, as Kubernetes shows them. */
export function objectRoutes(resources: Resources, store: EventSource): readonly Route[] {
  return [
    route('GET', '/v1/objects/:kind', { query: objectsQuery, waits: true }, ({ ctx, id, params, query }) => {
      const kind = toKind(params.kind)
      const options = toListOptions(query)
      if (query.watch)
        return stream(
          NDJSON,
          jsonLines(ctx, id, resources.watch(ctx, kind, options), (one) => one),
        )
      const data = resources.list(kind, options).map((object) => kubeObject(kind, object))
      return success(200, 'retrieve objects success', data)
    }),

    route('GET', '/v1/objects/:kind/:name', { query: objectQuery }, ({ params, query }) => {
      const kind = toKind(params.kind)
      const data = kubeObject(kind, resources.find(kind, params.name, query.namespace))
      return success(200, 'retrieve object success', data)
    }),

    route('GET', '/v1/objects/:kind/:name/events', { query: objectQuery }, async ({ ctx, params, query }) => {
      const kind = toKind(params.kind)
      const { uid } = resources.find(kind, params.name, query.namespace).metadata
      const data: WireObjectEvent[] = []
      for await (const event of store.events(ctx, { kinds: [kind] })) {
        if (event.uid === uid && event.attributes['reason'] !== undefined) data.push(wireObjectEvent(event))
      }
      return success(200, 'retrieve events success', data)
    }),

    route('DELETE', '/v1/objects/:kind/:name', { query: deleteObjectQuery, waits: true }, async (request) => {
      const { ctx, params, query } = request
      const { wait, gracePeriod, cascade, namespace } = query
      const options = withoutUndefined({ graceSeconds: gracePeriod, cascade })
      const data = await resources.delete(toKind(params.kind), params.name, namespace, options)
      if (wait) await resources.untilGone(ctx, [data])
      return success(200, 'object deleted', data)
    }),
  ]
}

/** @throws {StatusError} `not_found` */
function toKind(text: string): KubeKind {
  const kind = (Object.keys(KUBE_KINDS) as KubeKind[]).find((known) => known.toLowerCase() === text.toLowerCase())
  if (kind !== undefined) return kind
  throw new StatusError(
    'not_found',
    `There is no kind "${text.slice(0, 100)}"; known are ${Object.keys(KUBE_KINDS).join(', ')}`,
  )
}

function toListOptions({ namespace, selector }: { namespace?: string; selector?: string }): ListOptions {
  return {
    ...(namespace !== undefined && { namespace }),
    ...(selector !== undefined && { selector: parseSelector(selector) }),
  }
}

function wireObjectEvent({ attributes, timeNs }: Event): WireObjectEvent {
  const { type = 'Normal', reason = '', message = '' } = attributes
  return { type, reason, message, time: new Date(Number(timeNs / 1_000_000n)).toISOString() }
}
