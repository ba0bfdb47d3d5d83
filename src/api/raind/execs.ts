import type { Containers } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { terminalSize } from '../../model/terminal-size.ts'
import { stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { toCreateExec, wireExec } from './convert.ts'
import { success } from './envelope.ts'
import { collect, sessionFrames } from './session-frames.ts'
import {
  createExecBody,
  execBody,
  FRAME_STREAM,
  killBody,
  sizeBody,
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
      stream(FRAME_STREAM, sessionFrames(await containers.startExec(daemon, params.execId))),
    ),

    route('POST', '/v1/execs/:execId/resize', { body: sizeBody }, ({ params, body }) => {
      containers.resizeExec(params.execId, terminalSize(body.rows, body.columns))
      return success(200, 'exec resized')
    }),

    route('POST', '/v1/execs/:execId/kill', { body: killBody }, async ({ params, body }) => {
      await containers.signalExec(params.execId, body.signal ?? 'SIGKILL')
      return success(200, 'exec signalled')
    }),

    route('GET', '/v1/execs/:execId', {}, ({ params }) => {
      const data: WireExec = wireExec(containers.findExec(params.execId))
      return success(200, 'retrieve exec success', data)
    }),

    route('POST', '/v1/containers/:containerId/actions/exec', { body: execBody }, async ({ params, body }) => {
      const { id: execId } = containers.createExec(daemon, params.containerId, toCreateExec(body))
      const started: WireExecStarted = { id: params.containerId, execId }
      // Who wants the terminal comes for it next: GET .../exec/attach.
      if (body.tty && !body.wait) {
        await containers.startUnclaimedExec(daemon, execId)
        return success(200, 'container executed', started)
      }
      const session = await containers.startExec(daemon, execId)
      if (!body.wait) {
        session[Symbol.dispose]()
        return success(200, 'container executed', started)
      }
      const { stdout, stderr } = await collect(session, OUTPUT_LIMIT_BYTES)
      const { exitCode } = await session.exit
      const data: WireExecResult = {
        ...started,
        exitCode,
        stdout: stdout.text,
        stderr: stderr.text,
        truncated: stdout.truncated || stderr.truncated,
      }
      return success(200, 'container executed', data)
    }),
  ]
}
