import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { isDigest } from '../model/digest.ts'
import type { Descriptor, Platform } from '../model/image.ts'
import { readAll } from './body.ts'
import type { Endpoint } from './endpoint.ts'
import { digestOf, type ImageIndex, type ImageManifest, MAX_MANIFEST_BYTES, parseDocument } from './manifest.ts'
import { ACCEPTED } from './media-types.ts'
import { formatPlatform, selectPlatform } from './platform.ts'
import { formatImageReference, type ImageReference } from './reference.ts'
import type { Requester } from './requester.ts'
import type { Document, Limits, ResolvedImage } from './types.ts'

/** An index may name an index, as layouts do; deeper than this nobody goes in earnest. */
const MAX_INDEXES = 4

/** Follows a reference at one endpoint to the manifest for a platform. */
export async function resolveImage(
  ctx: Ctx,
  requester: Requester,
  limits: Limits,
  endpoint: Endpoint,
  ref: ImageReference,
  platform: Platform,
): Promise<ResolvedImage> {
  const what = `image "${formatImageReference(ref)}"`
  const get = (reference: string) => getDocument(ctx, requester, limits, endpoint, { what, reference })
  let current = await get(ref.digest ?? ref.tag ?? 'latest')
  const documents: Document[] = []
  for (;;) {
    const { descriptor, bytes, parsed } = current
    documents.push({ descriptor, bytes })
    if (parsed.kind === 'manifest') {
      const target = documents[0]!.descriptor
      return { target, manifest: descriptor, config: parsed.config, layers: parsed.layers, documents }
    }
    if (documents.length > MAX_INDEXES)
      throw new StatusError('invalid_argument', `Cannot pull ${what}: its indexes nest too deep`)
    const entry = selectPlatform(parsed.entries, platform)
    if (entry === undefined) throw noPlatform(what, parsed, platform)
    current = await get(entry.digest)
    checkEntry(what, entry, current.descriptor)
  }
}

interface Fetched extends Document {
  readonly parsed: ImageIndex | ImageManifest
}

async function getDocument(
  ctx: Ctx,
  requester: Requester,
  limits: Limits,
  endpoint: Endpoint,
  { what, reference }: { readonly what: string; readonly reference: string },
): Promise<Fetched> {
  const wanted = { what, path: `manifests/${reference}`, headers: { accept: ACCEPTED }, statuses: [200] }
  const { bytes, headers } = await requester.get(ctx, endpoint, wanted, async (response) => ({
    bytes: await readAll(ctx, response, { ...limits, maxBytes: MAX_MANIFEST_BYTES, what: `The manifest of ${what}` }),
    headers: response.headers,
  }))
  const digest = digestOf(bytes)
  for (const said of [reference, headers['docker-content-digest']]) {
    if (typeof said === 'string' && isDigest(said) && said !== digest) {
      throw new StatusError(
        'invalid_argument',
        `Cannot pull ${what}: registry ${endpoint.host} sent a manifest with the digest ${digest}, not ${said}`,
      )
    }
  }
  const parsed = parseFrom(endpoint, what, bytes, mediaTypeOf(headers['content-type']))
  return { descriptor: { mediaType: parsed.mediaType, digest, size: bytes.length }, bytes, parsed }
}

/** What says nothing about images is left to the document itself. */
function mediaTypeOf(contentType: string | undefined): string | undefined {
  const type = /^[^;\s]+/.exec(contentType ?? '')?.[0].toLowerCase()
  return type?.startsWith('application/vnd.') ? type : undefined
}

function parseFrom(endpoint: Endpoint, what: string, bytes: Buffer, mediaType: string | undefined) {
  try {
    return parseDocument(bytes, mediaType)
  } catch (cause) {
    if (!(cause instanceof StatusError)) throw cause
    throw new StatusError(cause.code, `Cannot pull ${what} from registry ${endpoint.host}: ${cause.message}`, { cause })
  }
}

function checkEntry(what: string, entry: Descriptor, got: Descriptor): void {
  if (entry.size === got.size && entry.mediaType === got.mediaType) return
  throw new StatusError(
    'invalid_argument',
    `Cannot pull ${what}: its manifest ${got.digest} is not of the size and type that the index gives`,
  )
}

function noPlatform(what: string, index: ImageIndex, wanted: Platform): StatusError {
  const known = index.entries.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : [],
  )
  return new StatusError(
    'not_found',
    `Cannot pull ${what}: there is none for ${formatPlatform(wanted)}, only for ${known.slice(0, 20).join(', ') || 'no platform'}`,
  )
}
