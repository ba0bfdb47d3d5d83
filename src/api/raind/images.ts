import type { IncomingHttpHeaders } from 'node:http'
import type { Images, PullProgress } from '../../images/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { primed, type Reply, stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { success } from './envelope.ts'
import {
  toImageFilter,
  wireHistoryEntry,
  wireImage,
  wireImageInspect,
  wireImageStatus,
  wireImageUsage,
  wireProgress,
} from './image-convert.ts'
import {
  imageBody,
  imageListQuery,
  imageQuery,
  loadQuery,
  loginBody,
  type PullBody,
  pullBody,
  pushBody,
  saveQuery,
  tagBody,
  type WireHistoryEntry,
  type WireImage,
  type WireImageInspect,
  type WireImageStatus,
  type WireImageUsage,
} from './image-types.ts'
import { jsonLines } from './json-lines.ts'
import { pruneAllBody, toPruneFilter, type WirePruned } from './prune.ts'
import { parseRegistryAuth, type RegistryAuth } from './registry-auth.ts'
import { NDJSON } from './types.ts'

const TAR = 'application/x-tar'

export function imageRoutes(images: Images, daemon: Ctx): readonly Route[] {
  return [
    route('GET', '/v1/images', { query: imageListQuery }, ({ query }) => {
      const data: WireImage[] = images.list(toImageFilter(query)).map(wireImage)
      return success(200, 'retrieve image list success', data.length === 0 ? null : data)
    }),

    route('POST', '/v1/images', { body: pullBody }, async ({ id, ctx, body, headers }) => {
      const options = pullOptions(body, headers)
      if (wantsProgress(headers)) return progressReply(ctx, id, images.pull(ctx, body.image, options))
      await lastOf(images.pull(daemon, body.image, options))
      const { image, os = '', arch = '' } = body
      return success(200, 'pull completed', { image, os, arch })
    }),

    route('POST', '/v1/images/load', { query: loadQuery }, async ({ id, ctx, query, headers, stream: archive }) => {
      const progress = images.load(ctx, archive, query.name === undefined ? {} : { name: query.name })
      if (wantsProgress(headers)) return progressReply(ctx, id, progress)
      const data: WireImage[] = await loaded(progress)
      return success(200, 'load completed', data)
    }),

    route('GET', '/v1/images/save', { query: saveQuery }, async ({ ctx, query }) =>
      stream(TAR, await primed(images.save(ctx, query.image, query.format ?? 'oci'))),
    ),

    route('POST', '/v1/images/tag', { body: tagBody }, async ({ body }) => {
      const { metadata } = await images.tag(daemon, body.image, body.target)
      return success(200, 'tag completed', { image: metadata.name })
    }),

    route('POST', '/v1/images/prune', { body: pruneAllBody }, async ({ body }) => {
      const data: WirePruned = await images.prune(daemon, { ...toPruneFilter(body), all: body.all ?? false })
      return success(200, 'prune completed', data)
    }),

    route('POST', '/v1/images/push', { body: pushBody }, async ({ id, ctx, body, headers }) => {
      const given = body.auth ?? headerAuth(headers['x-registry-auth'])
      const options = given === undefined ? {} : { auth: given }
      if (wantsProgress(headers)) return progressReply(ctx, id, images.push(ctx, body.image, options))
      await lastOf(images.push(daemon, body.image, options))
      return success(200, 'push completed', { image: body.image })
    }),

    route('POST', '/v1/registries/login', { body: loginBody }, async ({ ctx, body }) => {
      const { registry = 'docker.io', auth } = body
      await images.checkLogin(ctx, registry, auth)
      return success(200, 'login completed', { registry })
    }),

    route('DELETE', '/v1/images', { body: imageBody }, async ({ body }) => {
      await images.remove(daemon, body.image)
      return success(200, 'remove completed', { image: body.image })
    }),

    route('GET', '/v1/images/status', { query: imageQuery }, ({ query }) => {
      const data: WireImageStatus = wireImageStatus(images.status(query.image))
      return success(200, 'retrieve image status success', data)
    }),

    route('GET', '/v1/images/inspect', { query: imageQuery }, ({ query }) => {
      const data: WireImageInspect = wireImageInspect(images.inspect(query.image))
      return success(200, 'retrieve image success', data)
    }),

    route('GET', '/v1/images/history', { query: imageQuery }, async ({ query }) => {
      const data: WireHistoryEntry[] = (await images.history(query.image)).map(wireHistoryEntry)
      return success(200, 'retrieve image history success', data)
    }),

    route('GET', '/v1/images/fs', { query: imageQuery }, ({ query }) => {
      const data: WireImageUsage = wireImageUsage(images.usage(query.image))
      return success(200, 'retrieve image usage success', data)
    }),
  ]
}

function pullOptions({ os, arch, auth }: PullBody, headers: IncomingHttpHeaders) {
  const given: RegistryAuth | undefined = auth ?? headerAuth(headers['x-registry-auth'])
  return {
    ...(given !== undefined && { auth: given }),
    platform: { ...(os && { os }), ...(arch && { architecture: arch }) },
  }
}

function headerAuth(header: string | string[] | undefined): RegistryAuth | undefined {
  return header === undefined ? undefined : parseRegistryAuth(String(header))
}

function wantsProgress(headers: IncomingHttpHeaders): boolean {
  return headers.accept?.includes(NDJSON) ?? false
}

async function progressReply(ctx: Ctx, requestId: string, progress: AsyncIterable<PullProgress>): Promise<Reply> {
  return stream(NDJSON, jsonLines(ctx, requestId, await primed(progress), wireProgress))
}

async function lastOf(progress: AsyncIterable<PullProgress>): Promise<void> {
  for await (const _ of progress);
}

async function loaded(progress: AsyncIterable<PullProgress>): Promise<WireImage[]> {
  const done: WireImage[] = []
  for await (const one of progress) if (one.type === 'done') done.push(wireImage(one.image))
  return done
}
