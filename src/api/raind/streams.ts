import type { Containers, Session } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { messageOf, StatusError } from '../../lib/errors.ts'
import { type Reply, upgrade } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { CLOSE } from '../http/web-socket.ts'
import { converse, framed, RAW } from './live.ts'
import { attachQuery, execStreamsQuery } from './types.ts'

/** The WebSockets: those of the public Raind (contract, section 2), and our own, which say more. */
export function streamRoutes(containers: Containers, daemon: Ctx): readonly Route[] {
  return [
    route('GET', '/v1/containers/:containerId/attach', { upgrades: true }, ({ ctx, params }) =>
      orPlainText(async () => {
        const { uid, name } = containers.find(params.containerId).metadata
        if (!containers.find(uid).spec.tty) {
          throw new StatusError('failed_precondition', `Cannot attach to container "${name}": it has no terminal`)
        }
        const session = await containers.attach(ctx, uid, { stdin: true })
        return upgrade((channel) => converse(ctx, session, channel, RAW))
      }),
    ),

    route('GET', '/v1/containers/:containerId/exec/attach', { upgrades: true }, ({ ctx, params }) =>
      orPlainText(() => {
        const { uid } = containers.find(params.containerId).metadata
        const session = orNothing(() => containers.takeUnclaimedExec(uid))
        return upgrade(async (channel) => {
          if (session === undefined) channel.close(CLOSE.tryLater, 'target not ready')
          else await converse(ctx, session, channel, RAW)
        })
      }),
    ),

    route(
      'GET',
      '/v1/containers/:containerId/streams',
      { query: attachQuery, upgrades: true },
      async ({ ctx, params, query }) => {
        const { metadata, spec } = containers.find(params.containerId)
        if (query.tty !== undefined && query.tty !== spec.tty) {
          const has = spec.tty ? 'a terminal' : 'no terminal'
          throw new StatusError('failed_precondition', `Container "${metadata.name}" has ${has}`)
        }
        const { stdin = false, logs = false, wait = false } = query
        const session = await containers.attach(ctx, metadata.uid, { stdin, logs, wait })
        return upgrade((channel) => converse(ctx, session, channel, framed(query)))
      },
    ),

    route('GET', '/v1/execs/:execId/streams', { query: execStreamsQuery, upgrades: true }, async (request) => {
      const { ctx, params, query } = request
      // One that has begun has passed all tests: the handshake need not wait until it runs.
      const session = containers.takeBegunExec(params.execId) ?? (await containers.startExec(daemon, params.execId))
      return upgrade((channel) => converse(ctx, session, channel, framed(query)))
    }),
  ]
}

/** How the public Raind refuses an upgrade. */
async function orPlainText(answer: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await answer()
  } catch (error) {
    if (!(error instanceof StatusError) || error.code === 'internal') throw error
    return { status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${messageOf(error)}\n` }
  }
}

function orNothing(take: () => Session): Session | undefined {
  try {
    return take()
  } catch (error) {
    if (error instanceof StatusError && error.code === 'not_found') return undefined
    throw error
  }
}
