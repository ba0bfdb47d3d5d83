import type { Containers } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { StatusError } from '../../lib/errors.ts'
import { shortId } from '../../model/names.ts'
import { terminalSize } from '../../model/terminal-size.ts'
import { type Reply, stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { toUpdate, updateBody } from './container-options.ts'
import { containerText } from './container-text.ts'
import {
  toContainerFilter,
  toCreateContainer,
  toLogOptions,
  toStopOptions,
  wireContainer,
  wireInspect,
} from './convert.ts'
import { success, successText } from './envelope.ts'
import { logStream } from './log-stream.ts'
import { pruneBody, toPruneFilter, type WirePruned } from './prune.ts'
import {
  createContainerBody,
  deleteQuery,
  FRAME_STREAM,
  killBody,
  listQuery,
  logQuery,
  renameBody,
  sizeBody,
  startBody,
  stopQuery,
  type WireContainer,
  type WireExit,
  type WireInspect,
} from './types.ts'

/** `daemon`: the context of what changes the machine, so that a client who hangs up does not stop it half way. */
export function containerRoutes(containers: Containers, daemon: Ctx): readonly Route[] {
  return [
    route('GET', '/v1/containers', { query: listQuery }, ({ query }) => {
      const found = containers.list(toContainerFilter(query))
      const sandboxes = containers.sandboxes()
      const texts = found.map((one) => containerText(one, sandboxes.get(one.spec.sandboxId)))
      return successText(200, 'retrieve container list success', texts.length === 0 ? 'null' : `[${texts.join(',')}]`)
    }),

    route('POST', '/v1/containers', { body: createContainerBody }, async ({ body }) => {
      const { metadata } = await containers.create(daemon, toCreateContainer(body))
      return success(200, 'container created', { id: shortId(metadata.uid) })
    }),

    route('POST', '/v1/containers/prune', { body: pruneBody }, async ({ body }) => {
      const data: WirePruned = await containers.prune(daemon, toPruneFilter(body))
      return success(200, 'prune completed', data)
    }),

    route('GET', '/v1/containers/:containerId', {}, ({ params }) => {
      const container = containers.find(params.containerId)
      const data: WireContainer = wireContainer(container, containers.sandboxOf(container))
      return success(200, 'retrieve container success', data)
    }),

    route('GET', '/v1/containers/:containerId/inspect', {}, ({ params }) => {
      const container = containers.find(params.containerId)
      const data: WireInspect = wireInspect(container, containers.sandboxOf(container), {
        report: containers.healthReport(container),
        problems: containers.problems(),
      })
      return success(200, 'retrieve container success', data)
    }),

    route('POST', '/v1/containers/:containerId/actions/start', { body: startBody }, async ({ params }) => {
      const { metadata } = await containers.start(daemon, params.containerId)
      return success(200, 'container started', { id: shortId(metadata.uid) })
    }),

    route('POST', '/v1/containers/:containerId/actions/stop', { query: stopQuery }, async ({ params, query }) => {
      const { container, changed } = await containers.stop(daemon, params.containerId, toStopOptions(query))
      if (!changed) throw notRunning(container.metadata.name)
      return success(200, 'container stopped', { id: shortId(container.metadata.uid) })
    }),

    route('POST', '/v1/containers/:containerId/actions/restart', { query: stopQuery }, async ({ params, query }) => {
      const { metadata } = await containers.restart(daemon, params.containerId, toStopOptions(query))
      return success(200, 'container restarted', { id: shortId(metadata.uid) })
    }),

    route('POST', '/v1/containers/:containerId/actions/pause', {}, async ({ params }) => {
      const { metadata } = await containers.pause(daemon, params.containerId)
      return success(200, 'container paused', { id: shortId(metadata.uid) })
    }),

    route('POST', '/v1/containers/:containerId/actions/unpause', {}, async ({ params }) => {
      const { metadata } = await containers.unpause(daemon, params.containerId)
      return success(200, 'container unpaused', { id: shortId(metadata.uid) })
    }),

    route('POST', '/v1/containers/:containerId/actions/rename', { body: renameBody }, async ({ params, body }) => {
      const { metadata } = await containers.rename(daemon, params.containerId, body.name)
      return success(200, 'container renamed', { id: shortId(metadata.uid) })
    }),

    route('POST', '/v1/containers/:containerId/actions/update', { body: updateBody }, async ({ params, body }) => {
      const { metadata } = await containers.update(daemon, params.containerId, toUpdate(body))
      return success(200, 'container updated', { id: shortId(metadata.uid) })
    }),

    route('POST', '/v1/containers/:containerId/actions/kill', { body: killBody }, async ({ params, body }) => {
      const { metadata } = await containers.kill(daemon, params.containerId, body.signal ?? 'SIGKILL')
      return success(200, 'container signalled', { id: shortId(metadata.uid) })
    }),

    route('POST', '/v1/containers/:containerId/actions/wait', { waits: true }, async ({ ctx, params }) => {
      const { uid } = containers.find(params.containerId).metadata
      const { exitCode, oomKilled } = await containers.wait(ctx, uid)
      const data: WireExit = { id: shortId(uid), exitCode, oomKilled }
      return success(200, 'container ended', data)
    }),

    route('DELETE', '/v1/containers/:containerId/actions/delete', { query: deleteQuery }, async ({ params, query }) => {
      const { uid } = containers.find(params.containerId).metadata
      await containers.remove(daemon, uid, query)
      return success(200, 'container deleted', { id: shortId(uid) })
    }),

    route('GET', '/v1/containers/:containerId/log', { query: logQuery, waits: true }, async (request) => {
      const { ctx, params, query, headers } = request
      const { uid } = containers.find(params.containerId).metadata
      const { tail_lines, ...words } = query
      const framed = headers.accept === FRAME_STREAM
      if (framed || Object.keys(words).length > 0) {
        const { timestamps = false, stdout = true, stderr = true } = query
        const pieces = containers.followLog(ctx, uid, toLogOptions(query))
        const body = logStream(pieces, { timestamps, stdout, stderr, framed })
        return framed ? stream(FRAME_STREAM, body) : plainText(body)
      }
      const tailLines = tail_lines ?? 0
      return plainText(tailLines > 0 ? await containers.readLog(ctx, uid, { tailLines }) : '')
    }),

    route('POST', '/v1/containers/:containerId/actions/resize', { body: sizeBody }, async ({ ctx, params, body }) => {
      await containers.resize(ctx, params.containerId, terminalSize(body.rows, body.columns))
      return success(200, 'container resized')
    }),

    route('GET', '/v1/containers/:containerId/logpath', {}, ({ params }) =>
      success(200, 'retrieve container log path success', containers.logPath(params.containerId)),
    ),
  ]
}

function plainText(body: string | AsyncIterable<Uint8Array>): Reply {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

function notRunning(name: string): StatusError {
  return new StatusError('failed_precondition', `Cannot stop container "${name}": it is not running`)
}
