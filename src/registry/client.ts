import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { hasCode, messageOf, StatusError } from '../lib/errors.ts'
import type { Descriptor, Platform } from '../model/image.ts'
import { openBlob, resumingStream } from './blob.ts'
import { discard } from './body.ts'
import { TimeoutError } from './connection-failure.ts'
import { type Endpoint, endpointsOf, hasSecret, originOf } from './endpoint.ts'
import { pushManifest } from './push-manifest.ts'
import { formatImageReference, type ImageReference, parseRegistry } from './reference.ts'
import { Requester } from './requester.ts'
import { resolveImage } from './resolve.ts'
import type { Limits, RegistryAuth, RegistryClient, RegistryClientOptions, ResolvedImage } from './types.ts'
import { pushBlob } from './upload.ts'

const DEFAULT_LIMITS: Limits = {
  connectTimeoutMs: 10_000,
  responseTimeoutMs: 30_000,
  idleTimeoutMs: 30_000,
  tries: 4,
  backoff: { firstMs: 500, maxMs: 8000, jitter: 0.5 },
  maxPauseMs: 30_000,
}

const MIRROR_REST_MS = 60_000

/** A client of all registries; keeps idle connections and tokens for a while, and nothing that must be closed. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const requester = new Requester(limits)
  const resting = new Map<string, number>()
  return {
    async resolve(
      ctx: Ctx,
      ref: ImageReference,
      { auth, platform }: { auth?: RegistryAuth; platform: Platform },
    ): Promise<ResolvedImage> {
      const endpoints = await endpointsOf(ctx, options, ref, auth)
      const from = (endpoint: Endpoint) => resolveImage(ctx, requester, limits, endpoint, ref, platform)
      return await firstOf(ctx, resting, endpoints, `image ${formatImageReference(ref)}`, from)
    },

    async fetchBlob(
      ctx: Ctx,
      ref: ImageReference,
      descriptor: Descriptor,
      { auth, offset = 0 }: { auth?: RegistryAuth; offset?: number } = {},
    ): Promise<AsyncIterable<Uint8Array>> {
      const endpoints = await endpointsOf(ctx, options, ref, auth)
      const open = (start: number) =>
        firstOf(ctx, resting, endpoints, `blob ${descriptor.digest}`, (endpoint) =>
          openBlob(ctx, requester, endpoint, descriptor, start),
        )
      return resumingStream(ctx, limits, descriptor, { open, first: await open(offset), offset })
    },

    async pushBlob(ctx, ref, blob, { auth } = {}) {
      return await pushBlob(ctx, requester, limits, await originOf(ctx, options, ref, auth), blob)
    },

    async pushManifest(ctx, ref, manifest, { auth } = {}) {
      await pushManifest(ctx, requester, await originOf(ctx, options, ref, auth), ref, manifest)
    },

    async checkLogin(ctx, registry, auth) {
      const endpoint = await originOf(ctx, options, { registry: parseRegistry(registry), path: '' }, assertSecret(auth))
      const wanted = { what: `registry ${endpoint.host}`, path: '', headers: {}, statuses: [200] }
      await requester.get(ctx, endpoint, wanted, async (response) => discard(response))
    },
  }
}

/** Nobody is to be told that a login is right because another one is configured. */
function assertSecret(auth: RegistryAuth): RegistryAuth {
  if (hasSecret(auth)) return auth
  throw new StatusError(
    'invalid_argument',
    'There are no credentials to log in with: a user name and a password are needed',
  )
}

/**
 * Asks one after the other until one answers; the last one's error counts, because that is the registry itself. A mirror
 * that did not answer in time rests a while: not every blob shall wait for it.
 */
async function firstOf<T>(
  ctx: Ctx,
  resting: Map<string, number>,
  endpoints: readonly Endpoint[],
  what: string,
  ask: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  for (const endpoint of endpoints.slice(0, -1)) {
    if ((resting.get(endpoint.host) ?? 0) > Date.now()) continue
    try {
      return await ask(endpoint)
    } catch (error) {
      throwIfEnded(ctx)
      // A mirror that has the blob but cannot resume: its start is better than another place.
      if (hasCode(error, 'unimplemented')) throw error
      if (error instanceof StatusError && error.cause instanceof TimeoutError) {
        resting.set(endpoint.host, Date.now() + MIRROR_REST_MS)
      }
      ctx.log.warn('registry mirror failed', { mirror: endpoint.host, what, reason: messageOf(error) })
    }
  }
  return await ask(endpoints.at(-1)!)
}
