import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { discard } from './body.ts'
import type { Endpoint } from './endpoint.ts'
import { formatImageReference, type ImageReference } from './reference.ts'
import type { Requester } from './requester.ts'
import type { Document } from './types.ts'

/** Stores a manifest byte for byte (distribution-spec, "Pushing Manifests"). */
export async function pushManifest(
  ctx: Ctx,
  requester: Requester,
  endpoint: Endpoint,
  ref: ImageReference,
  { descriptor, bytes }: Document,
): Promise<void> {
  const wanted = {
    what: `image "${formatImageReference(ref)}"`,
    verb: 'push' as const,
    method: 'PUT' as const,
    path: `manifests/${ref.tag ?? descriptor.digest}`,
    headers: { 'content-type': descriptor.mediaType, 'content-length': String(bytes.length) },
    body: bytes,
    statuses: [201],
  }
  const stored = await requester.get(ctx, endpoint, wanted, async (response) => {
    discard(response)
    return response.headers['docker-content-digest']
  })
  if (stored === undefined || stored === descriptor.digest) return
  throw new StatusError(
    'unavailable',
    `Registry ${endpoint.host} has stored another manifest than the one it was sent: ${String(stored).slice(0, 100)}`,
  )
}
