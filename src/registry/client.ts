import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { hasCode, messageOf } from '../lib/errors.ts'
import type { Descriptor, Platform } from '../model/image.ts'
import { openBlob, resumingStream } from './blob.ts'
import { type Endpoint, endpointsOf } from './endpoint.ts'
import { formatImageReference, type ImageReference } from './reference.ts'
import { Requester } from './requester.ts'
import { resolveImage } from './resolve.ts'
import type { Limits, RegistryAuth, RegistryClient, RegistryClientOptions, ResolvedImage } from './types.ts'

const DEFAULT_LIMITS: Limits = {
  connectTimeoutMs: 10_000,
  responseTimeoutMs: 30_000,
  idleTimeoutMs: 30_000,
  tries: 4,
  backoff: { firstMs: 500, maxMs: 8000, jitter: 0.5 },
  maxPauseMs: 30_000,
}

/** A client of all registries; keeps idle connections and tokens for a while, and nothing that must be closed. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const requester = new Requester(limits)
  return {
    async resolve(
      ctx: Ctx,
      ref: ImageReference,
      { auth, platform }: { auth?: RegistryAuth; platform: Platform },
    ): Promise<ResolvedImage> {
      const endpoints = await endpointsOf(ctx, options, ref, auth)
      const from = (endpoint: Endpoint) => resolveImage(ctx, requester, limits, endpoint, ref, platform)
      return await firstOf(ctx, endpoints, `image ${formatImageReference(ref)}`, from)
    },

    async fetchBlob(
      ctx: Ctx,
      ref: ImageReference,
      descriptor: Descriptor,
      { auth, offset = 0 }: { auth?: RegistryAuth; offset?: number } = {},
    ): Promise<AsyncIterable<Uint8Array>> {
      const endpoints = await endpointsOf(ctx, options, ref, auth)
      const open = (start: number) =>
        firstOf(ctx, endpoints, `blob ${descriptor.digest}`, (endpoint) =>
          openBlob(ctx, requester, endpoint, descriptor, start),
        )
      return resumingStream(ctx, limits, descriptor, { open, first: await open(offset), offset })
    },
  }
}

/** Asks one after the other until one answers; the last one's error counts, because that is the registry itself. */
async function firstOf<T>(
  ctx: Ctx,
  endpoints: readonly Endpoint[],
  what: string,
  ask: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  for (const endpoint of endpoints.slice(0, -1)) {
    try {
      return await ask(endpoint)
    } catch (error) {
      throwIfEnded(ctx)
      // A mirror that has the blob but cannot resume: its start is better than another place.
      if (hasCode(error, 'unimplemented')) throw error
      ctx.log.warn('registry mirror failed', { mirror: endpoint.host, what, reason: messageOf(error) })
    }
  }
  return await ask(endpoints.at(-1)!)
}
