import type { IncomingMessage } from 'node:http'
import { backoffMs, delay } from '../lib/backoff.ts'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { hasCode, StatusError } from '../lib/errors.ts'
import type { Descriptor } from '../model/image.ts'
import { discard } from './body.ts'
import { type Endpoint, mayBePlain } from './endpoint.ts'
import type { StreamBody } from './request-body.ts'
import type { Requester, Wanted } from './requester.ts'
import type { BlobSource, Limits, Pushed } from './types.ts'

const OCTETS = 'application/octet-stream'

/** Of an upload that is under way at the registry. */
interface Session {
  /** Where to go on; each answer may name another place. */
  readonly at: URL
  /** Bytes that the registry has. */
  readonly offset: number
}

interface Upload {
  readonly requester: Requester
  readonly limits: Limits
  readonly endpoint: Endpoint
  readonly blob: BlobSource
}

/**
 * Brings a blob into a repository (distribution-spec, "Pushing blobs"): not at all if it is there, else by mounting it
 * from another repository of the registry, else with one PUT. One that breaks off goes on where the registry says.
 */
export async function pushBlob(
  ctx: Ctx,
  requester: Requester,
  limits: Limits,
  endpoint: Endpoint,
  blob: BlobSource,
): Promise<Pushed> {
  const upload = { requester, limits, endpoint, blob }
  if (await exists(ctx, upload)) return 'exists'
  const session = await begin(ctx, upload, blob.mountFrom)
  if (session === 'mounted') return 'mounted'
  await send(ctx, upload, session)
  return 'uploaded'
}

async function exists(ctx: Ctx, { requester, endpoint, blob }: Upload): Promise<boolean> {
  const { digest } = blob.descriptor
  const wanted: Wanted = { ...wantedOf(blob.descriptor), method: 'HEAD', path: `blobs/${digest}`, statuses: [200, 404] }
  return await requester.get(ctx, endpoint, wanted, async (response) => {
    discard(response)
    return response.statusCode === 200
  })
}

/** Opens an upload, unless the registry finds the blob in the repository `from`. */
async function begin(ctx: Ctx, upload: Upload, from: string | undefined): Promise<Session | 'mounted'> {
  const { requester, endpoint, blob } = upload
  const mount = from === undefined ? '' : `?${new URLSearchParams({ mount: blob.descriptor.digest, from })}`
  const wanted: Wanted = {
    ...wantedOf(blob.descriptor),
    method: 'POST',
    path: `blobs/uploads/${mount}`,
    headers: { 'content-length': '0' },
    statuses: [201, 202],
  }
  try {
    return await requester.get(ctx, endpoint, wanted, async (response, url) => {
      discard(response)
      return response.statusCode === 201 ? 'mounted' : { at: locationOf(endpoint, response, url), offset: 0 }
    })
  } catch (error) {
    // Who may not read the other repository may still write to this one.
    const isDenied = ['permission_denied', 'unauthenticated', 'not_found'] as const
    if (from === undefined || !isDenied.some((code) => hasCode(error, code))) throw error
    return await begin(ctx, upload, undefined)
  }
}

/** Gives up after `limits.tries` connections that have brought the upload no further. */
async function send(ctx: Ctx, upload: Upload, first: Session): Promise<void> {
  const { limits, endpoint, blob } = upload
  let session = first
  for (let fruitless = 1; ; fruitless++) {
    try {
      if (session.offset === 0) return await put(ctx, upload, session.at, await bodyFrom(blob, 0))
      return await put(ctx, upload, await patch(ctx, upload, session))
    } catch (error) {
      throwIfEnded(ctx)
      const mayGoOn = hasCode(error, 'unavailable') || hasCode(error, 'not_found')
      if (!mayGoOn || fruitless >= limits.tries) throw error
      ctx.log.debug('upload broke off', { host: endpoint.host, digest: blob.descriptor.digest, error })
    }
    await delay(ctx, backoffMs(limits.backoff, fruitless))
    const next = await resume(ctx, upload, session)
    if (next === 'mounted') return
    if (next.offset > session.offset) fruitless = 0
    session = next
  }
}

/** Asks how far the upload has come; one that the registry does not know any more begins anew. */
async function resume(ctx: Ctx, upload: Upload, { at }: Session): Promise<Session | 'mounted'> {
  const { requester, endpoint, blob } = upload
  const wanted: Wanted = { ...wantedOf(blob.descriptor), path: '', at, statuses: [204] }
  try {
    const session = await requester.get(ctx, endpoint, wanted, async (response, url) => {
      discard(response)
      return { at: locationOf(endpoint, response, url), offset: receivedBytes(response) }
    })
    if (session.offset <= blob.descriptor.size) return session
  } catch (error) {
    throwIfEnded(ctx)
    ctx.log.debug('upload cannot be resumed', { host: endpoint.host, digest: blob.descriptor.digest, error })
  }
  return await begin(ctx, upload, undefined)
}

/** `Range: 0-<last byte>`; an upload that has nothing yet says `0-0`, because there is no other way to say it. */
function receivedBytes({ headers }: IncomingMessage): number {
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(headers['range'] ?? '')?.[1] ?? 0)
  return last === 0 ? 0 : last + 1
}

/** Sends what is missing. @returns where the upload is to be closed */
async function patch(ctx: Ctx, { requester, endpoint, blob }: Upload, { at, offset }: Session): Promise<URL> {
  const { size } = blob.descriptor
  if (offset === size) return at
  const body = await bodyFrom(blob, offset)
  const wanted: Wanted = {
    ...wantedOf(blob.descriptor),
    method: 'PATCH',
    path: '',
    at,
    headers: {
      'content-type': OCTETS,
      'content-length': String(body.sizeBytes),
      'content-range': `${offset}-${size - 1}`,
    },
    body,
    statuses: [202],
  }
  return await requester.get(ctx, endpoint, wanted, async (response, url) => {
    discard(response)
    return locationOf(endpoint, response, url)
  })
}

/** Closes the upload, with all of the blob if there is a body. */
async function put(ctx: Ctx, { requester, endpoint, blob }: Upload, at: URL, body?: StreamBody): Promise<void> {
  const { digest } = blob.descriptor
  const url = new URL(at)
  url.searchParams.set('digest', digest)
  const wanted: Wanted = {
    ...wantedOf(blob.descriptor),
    method: 'PUT',
    path: '',
    at: url,
    headers: { 'content-type': OCTETS, 'content-length': String(body?.sizeBytes ?? 0) },
    ...(body && { body }),
    statuses: [201],
  }
  await requester.get(ctx, endpoint, wanted, async (response) => discard(response))
}

async function bodyFrom({ descriptor, open, onProgress }: BlobSource, offset: number): Promise<StreamBody> {
  const chunks = await open(offset)
  async function* counted(): AsyncGenerator<Uint8Array> {
    let position = offset
    for await (const chunk of chunks) {
      yield chunk
      position += chunk.length
      onProgress?.(position)
    }
  }
  return { sizeBytes: descriptor.size - offset, chunks: counted() }
}

/** Where an answer says to go on, which may be another server; without TLS only where that is allowed. */
function locationOf(endpoint: Endpoint, { headers }: IncomingMessage, from: URL): URL {
  const { location } = headers
  if (location === undefined || !URL.canParse(location, from)) {
    throw new StatusError('unavailable', `Registry ${endpoint.host} does not say where to upload to`)
  }
  const url = new URL(location, from)
  const isPlain = url.protocol === 'http:' && (from.protocol === 'http:' || mayBePlain(endpoint, url))
  if (url.protocol === 'https:' || isPlain) return url
  throw new StatusError(
    'failed_precondition',
    `Registry ${endpoint.host} wants uploads to go to ${url.protocol}//${url.host}, without TLS: refused`,
  )
}

function wantedOf({ digest }: Descriptor): Pick<Wanted, 'what' | 'verb' | 'headers'> {
  return { what: `blob ${digest}`, verb: 'push', headers: {} }
}
