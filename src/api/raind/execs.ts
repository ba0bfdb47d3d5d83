import type { Containers } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { StatusError } from '../../lib/errors.ts'
import { stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { toCreateExec, wireExec } from './convert.ts'
import { success } from './envelope.ts'
import { collect, execFrames } from './exec-stream.ts'
import {
  createExecBody,
  EXEC_STREAM,
  execBody,
  type WireExec,
  type WireExecResult,
  type WireExecStarted,
} from './types.ts'

/** Of each output of an exec that is waited for. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024

export function execRoutes(containers: Containers, daemon: Ctx): readonly Route[] {
  return [
    route('POST', '/v1/containers/:containerId/exec', { body: createExecBody }, ({ params, body }) => {
      const { id } = containers.createExec(daemon, params.containerId, toCreateExec(body))
      return success(201, 'exec created', { execId: id })
    }),

    route('POST', '/v1/execs/:execId/start', {}, async ({ params }) =>
      stream(EXEC_STREAM, execFrames(await containers.startExec(daemon, params.execId))),
    ),

    route('GET', '/v1/execs/:execId', {}, ({ params }) => {
      const data: WireExec = wireExec(containers.findExec(params.execId))
      return success(200, 'retrieve exec success', data)
    }),

    route('POST', '/v1/containers/:containerId/actions/exec', { body: execBody }, async ({ params, body }) => {
      if (body.tty) throw new StatusError('unimplemented', 'Exec with a terminal is not possible yet: leave "tty" out')
      const { id: execId } = containers.createExec(daemon, params.containerId, toCreateExec(body))
      const started: WireExecStarted = { id: params.containerId, execId }
      const { stdout, stderr, exit } = await containers.startExec(daemon, execId)
      if (!body.wait) {
        for (const output of [stdout, stderr]) output.on('error', () => {}).resume()
        return success(200, 'container executed', started)
      }
      const [out, err, { exitCode }] = await Promise.all([
        collect(stdout, OUTPUT_LIMIT_BYTES),
        collect(stderr, OUTPUT_LIMIT_BYTES),
        exit,
      ])
      const truncated = out.truncated || err.truncated
      const data: WireExecResult = { ...started, exitCode, stdout: out.text, stderr: err.text, truncated }
      return success(200, 'container executed', data)
    }),
  ]
}
