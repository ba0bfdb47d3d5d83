import type { IncomingHttpHeaders } from 'node:http'
import type { Ctx } from '../../lib/ctx.ts'
import type { Schema } from '../../lib/schema.ts'
import type { Reply } from './reply.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'

/** The names of a path's parameters: `containerId` of `/v1/containers/:containerId/log`. */
type ParamNames<Path extends string> = Path extends `${infer Head}/${infer Tail}`
  ? ParamNames<Head> | ParamNames<Tail>
  : Path extends `:${infer Name}`
    ? Name
    : never

export interface RouteRequest<Params extends string, Body, Query> {
  /** Names the request in the log and in the answer. */
  readonly id: string
  /** Ends when the client goes: for reads and streams. What changes the machine runs on the daemon's context instead. */
  readonly ctx: Ctx
  readonly params: Readonly<Record<Params, string>>
  readonly query: Query
  /** The JSON body, checked. */
  readonly body: Body
  /** The body as it comes, for routes that declare no JSON body. */
  readonly stream: AsyncIterable<Uint8Array>
  readonly headers: IncomingHttpHeaders
}

interface RouteOptions<Body, Query> {
  readonly body?: Schema<Body>
  readonly query?: Schema<Query>
  /** Its answer may take for ever: the request's context ends, with the reason, as soon as the server closes. */
  readonly waits?: boolean
  /** Becomes a WebSocket: its reply is `upgrade(...)`. It `waits`, too. */
  readonly upgrades?: boolean
}

/** One method of one path. The schemas check what comes in and document it. */
export interface Route {
  readonly method: Method
  readonly path: string
  readonly body: Schema<unknown> | undefined
  readonly query: Schema<unknown> | undefined
  readonly waits: boolean
  readonly upgrades: boolean
  readonly handle: (request: RouteRequest<string, unknown, unknown>) => Reply | Promise<Reply>
}

/** Makes a route; path and schemas give `params`, `body` and `query` their types. */
export function route<const Path extends string, Body = undefined, Query = undefined>(
  method: Method,
  path: Path,
  { body, query, upgrades = false, waits = upgrades }: RouteOptions<Body, Query>,
  handle: (request: RouteRequest<ParamNames<Path>, Body, Query>) => Reply | Promise<Reply>,
): Route {
  return { method, path, body, query, waits, upgrades, handle: handle as Route['handle'] }
}
