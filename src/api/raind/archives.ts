import type { Containers } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { StatusError } from '../../lib/errors.ts'
import { shortId } from '../../model/names.ts'
import { primed, stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { archiveQuery, extractQuery, PATH_STAT, type WirePathStat, type WireTop } from './archive-types.ts'
import { wireTime } from './convert.ts'
import { success } from './envelope.ts'

const TAR = 'application/x-tar'

/** A client who goes ends what it reads or writes: there is nobody to read on for, and nothing more to write. */
export function archiveRoutes(containers: Containers): readonly Route[] {
  const { files } = containers
  const pathStat = async (ctx: Ctx, ref: string, path: string, follow: boolean): Promise<WirePathStat> => {
    const { mtimeMs, ...rest } = await files.stat(ctx, ref, path, follow)
    return { ...rest, modifiedAt: wireTime(mtimeMs) }
  }
  const headers = (stat: WirePathStat) => ({
    'content-type': TAR,
    [PATH_STAT]: Buffer.from(JSON.stringify(stat)).toString('base64'),
  })

  return [
    route('HEAD', '/v1/containers/:containerId/archive', { query: archiveQuery }, async ({ ctx, params, query }) => {
      const { path, follow = false } = query
      return { status: 200, headers: headers(await pathStat(ctx, params.containerId, path, follow)) }
    }),

    route('GET', '/v1/containers/:containerId/stat', { query: archiveQuery }, async ({ ctx, params, query }) => {
      const { path, follow = false } = query
      const data: WirePathStat = await pathStat(ctx, params.containerId, path, follow)
      return success(200, 'retrieve path success', data)
    }),

    route('GET', '/v1/containers/:containerId/archive', { query: archiveQuery }, async ({ ctx, params, query }) => {
      const { path, follow = false } = query
      const { uid } = containers.find(params.containerId).metadata
      const stat = await pathStat(ctx, uid, path, follow)
      const body = await primed(files.read(ctx, uid, path, follow))
      return { status: 200, headers: headers(stat), body }
    }),

    route('PUT', '/v1/containers/:containerId/archive', { query: extractQuery }, async (request) => {
      const { ctx, params, query } = request
      const { uid } = containers.find(params.containerId).metadata
      const { path, noOverwriteDirNonDir: keepKind = false } = query
      await files.write(ctx, uid, { path, keepKind }, whole(request.stream))
      return success(200, 'archive extracted', { id: shortId(uid) })
    }),

    route('GET', '/v1/containers/:containerId/export', {}, async ({ ctx, params }) =>
      stream(TAR, await primed(files.export(ctx, params.containerId))),
    ),

    route('GET', '/v1/containers/:containerId/top', {}, async ({ params }) => {
      const data: WireTop = await containers.top(params.containerId)
      return success(200, 'retrieve processes success', data)
    }),
  ]
}

/** @throws {StatusError} `cancelled` where the client is gone before the end */
async function* whole(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw new StatusError('cancelled', "The request's body ended early", { cause: error })
  }
}
