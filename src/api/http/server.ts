import { randomBytes } from 'node:crypto'
import type { Server as HttpServerOfNode, IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { onBehalfOf } from '../../lib/asked-by.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { messageOf, StatusError, systemCode, toStatusError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/log.ts'
import { http } from '../../lib/node-http.ts'
import { audit, isAudited } from './audit.ts'
import { discardBody, readJson } from './body.ts'
import type { Caller } from './caller.ts'
import { parseQuery } from './query.ts'
import { type Conversation, type Reply, send } from './reply.ts'
import type { Route } from './route.ts'
import { Router } from './router.ts'
import { httpFault } from './status.ts'
import { listenUnix } from './unix-socket.ts'
import { acceptWebSocket, assertUpgradable, CLOSE, isWebSocketRequest } from './web-socket.ts'

/** To who is not admitted, whatever they ask; in the words that Raind's clients know. */
const FORBIDDEN: Reply = { status: 403, headers: { 'content-type': 'text/plain' }, body: 'forbidden' }

/** What a front end gives the server: its routes, and how it says that something failed. */
export interface FrontEnd {
  readonly routes: readonly Route[]
  errorReply(error: StatusError, requestId: string): Reply
}

export interface HttpServerOptions {
  readonly frontEnd: FrontEnd
  /** Names who connects to the unix socket. Never throws. */
  readonly identify: (connection: Socket) => Caller
  readonly log: Logger
  /** Where the audit log goes. */
  readonly auditLog: Logger
  /** Told of every answer but of those that wait for what may never happen. */
  readonly onAnswered?: (answered: Answered) => void
}

export interface Answered {
  /** As it is declared, with the names of its parameters; undefined if no route matched. */
  readonly route: string | undefined
  readonly method: string
  readonly status: number
  /** Until its head was ready to be sent. */
  readonly seconds: number
}

/** A connection that its client wants to be a WebSocket, and what he has sent of that already. */
interface UpgradeWish {
  readonly socket: Duplex
  readonly head: Buffer
}

/** One request while it is served. */
interface Exchange {
  readonly id: string
  readonly ctx: Ctx
  readonly caller: Caller
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Set if the client wants a WebSocket. */
  readonly wish: UpgradeWish | undefined
  /** Ends its context. */
  readonly running: AbortController
  /** `performance.now()` */
  readonly startedAt: number
  /** Once it is found. */
  route?: Route
}

/**
 * One front end over HTTP/1.1 on node:http: on a unix socket, and on whatever connections are handed to it.
 *
 * Every request gets an id (`X-Request-Id`), every failure the front end's own form. What is not a StatusError is
 * answered as `internal`, with the id only; the log gets all of it. `close` finishes what runs.
 */
export class HttpServer implements AsyncDisposable {
  readonly #server: HttpServerOfNode
  #again: Server | undefined
  readonly #router: Router
  readonly #frontEnd: FrontEnd
  readonly #identify: HttpServerOptions['identify']
  readonly #callers = new WeakMap<Duplex, Caller>()
  readonly #log: Logger
  readonly #auditLog: Logger
  readonly #onAnswered: HttpServerOptions['onAnswered']
  /** The requests that run, by what ends their context. */
  readonly #running = new Map<AbortController, Promise<void>>()
  /** Of those, the ones that wait for what may never happen. */
  readonly #waiting = new Set<AbortController>()
  readonly #idPrefix = randomBytes(3).toString('hex')
  #requests = 0
  #closing = false

  constructor({ frontEnd, identify, log, auditLog, onAnswered }: HttpServerOptions) {
    this.#frontEnd = frontEnd
    this.#identify = identify
    this.#router = new Router(frontEnd.routes)
    this.#log = log
    this.#auditLog = auditLog
    this.#onAnswered = onAnswered
    // A whole request may take as long as an archive takes; heads have a time limit, and JSON bodies their own.
    const options = {
      headersTimeout: 20_000,
      requestTimeout: 0,
      keepAliveTimeout: 60_000,
      shouldUpgradeCallback: isWebSocketRequest,
    }
    this.#server = http.createServer(options, (request, response) => this.#accept(request, response, undefined))
    this.#server.on('upgrade', (request, socket, head) => {
      const response = new http.ServerResponse(request)
      response.assignSocket(socket as Socket)
      response.shouldKeepAlive = false
      response.once('finish', () => socket.end())
      socket.on('error', () => {}).once('close', () => response.emit('close'))
      this.#accept(request, response, { socket, head })
    })
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket))
  }

  /** Replaces a socket file that is there: the caller holds the lock that makes it stale. */
  async listenUnix(path: string): Promise<void> {
    await listenUnix(this.#server, path)
  }

  /** Where somebody has removed the socket file: makes another one. Connections that are there go on. */
  async listenUnixAgain(path: string): Promise<void> {
    if (this.#closing) return
    // The one of node:http counts connections only while it listens: it goes on at a path that nobody finds.
    this.#again?.close()
    this.#again = createServer({ allowHalfOpen: true }, (connection) => this.#server.emit('connection', connection))
    await listenUnix(this.#again, path)
  }

  /** Serves a connection that another listener has accepted. */
  adopt(connection: Duplex, caller: Caller): void {
    this.#callers.set(connection, caller)
    if (this.#closing) connection.destroy()
    else this.#server.emit('connection', connection)
  }

  /** Stops listening, ends what waits, and finishes what runs; what still runs after `graceMs` is cancelled and cut off. */
  async close(graceMs: number): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const closed = this.#server.listening ? new Promise((resolve) => this.#server.close(resolve)) : undefined
    this.#again?.close()
    this.#server.closeIdleConnections()
    const reason = new StatusError('unavailable', 'The daemon is stopping; ask again when it is back')
    for (const waiting of this.#waiting) waiting.abort(reason)
    const settled = Promise.all([closed, ...this.#running.values()])
    const grace = new AbortController()
    await Promise.race([settled, sleep(graceMs, undefined, { signal: grace.signal }).catch(() => {})])
    grace.abort()
    for (const running of this.#running.keys()) running.abort()
    this.#server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(0)
  }

  #accept(request: IncomingMessage, response: ServerResponse, wish: UpgradeWish | undefined): void {
    const running = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) running.abort()
      if (this.#closing) setImmediate(() => this.#server.closeIdleConnections())
    })
    const served = this.#serve(request, response, running, wish).finally(() => {
      this.#running.delete(running)
      this.#waiting.delete(running)
    })
    this.#running.set(running, served)
  }

  /** Never rejects. */
  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    running: AbortController,
    wish: UpgradeWish | undefined,
  ): Promise<void> {
    const id = `${this.#idPrefix}-${++this.#requests}`
    const startedAt = performance.now()
    const { method = '', url = '' } = request
    const log = this.#log.with({ requestId: id, method, url: url.slice(0, 500) })
    const caller = this.#callerOf(request.socket)
    const ctx = { signal: running.signal, log }
    const exchange: Exchange = { id, ctx, caller, request, response, running, wish, startedAt }
    response.setHeader('x-request-id', id)
    try {
      await this.#reply(
        exchange,
        caller.admitted ? await onBehalfOf(caller.who, () => this.#answer(exchange)) : FORBIDDEN,
      )
    } catch (thrown) {
      const error = toStatusError(thrown)
      if (error.code === 'internal') log.error('request failed', { error: thrown })
      else log.debug('request refused', { code: error.code, reason: error.message })
      await this.#reply(exchange, this.#frontEnd.errorReply(error, id)).catch(() => response.destroy())
    }
    const ms = Math.round(performance.now() - startedAt)
    log.debug('request served', { status: response.statusCode, ms })
  }

  #callerOf(connection: Socket): Caller {
    const known = this.#callers.get(connection)
    if (known !== undefined) return known
    const caller = this.#identify(connection)
    this.#callers.set(connection, caller)
    return caller
  }

  async #answer(exchange: Exchange): Promise<Reply> {
    const { id, ctx, request, running, wish } = exchange
    const { method = '', url = '', headers } = request
    const path = pathOf(url)
    const { route, params } = this.#router.match(method, path)
    exchange.route = route
    if (route.waits) this.#waiting.add(running)
    if (route.upgrades) {
      if (wish === undefined) throw httpFault(426, `${path.slice(0, 200)} is a WebSocket: ask for that upgrade`)
      assertUpgradable(request)
    }
    const query = route.query && parseQuery(route.query, url.slice(path.length + 1))
    const body = route.body && (await readJson(request, route.body))
    // Who leaves this half read must not take the connection down before the answer is out.
    const stream = request.iterator({ destroyOnReturn: false })
    return route.handle({ id, ctx, params, query, body, stream, headers })
  }

  async #reply(exchange: Exchange, reply: Reply): Promise<void> {
    const { id, caller, request, response, route, startedAt } = exchange
    if (response.headersSent) {
      response.destroy()
      return
    }
    const { method = '', url = '' } = request
    const { status } = reply
    const seconds = (performance.now() - startedAt) / 1000
    if (!route?.waits) this.#onAnswered?.({ route: route?.path, method: route?.method ?? method, status, seconds })
    if (isAudited(method, status))
      audit(this.#auditLog, { ...caller.who, method, path: pathOf(url), status, requestId: id })
    if (reply.converse !== undefined) {
      await this.#converse(exchange, reply.converse)
      return
    }
    await discardBody(request)
    if (!request.complete || this.#closing) response.setHeader('connection', 'close')
    await send(response, reply)
  }

  async #converse({ request, response, wish, ctx }: Exchange, converse: Conversation): Promise<void> {
    const { socket, head } = wish!
    response.detachSocket(socket as Socket)
    const channel = await acceptWebSocket(request, socket, head)
    try {
      await converse(channel)
    } catch (error) {
      const { code } = toStatusError(error)
      if (code === 'internal') ctx.log.error('conversation failed', { error })
      channel.close(CLOSE.internal, code === 'internal' ? 'internal error' : messageOf(error))
    }
    channel.close(CLOSE.normal, '')
    await channel.closed
  }

  /** For what is not HTTP at all, or comes too slowly: there is no request to answer, only a connection. */
  #refuse(error: Error, socket: Duplex): void {
    if (systemCode(error) === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const fault = clientFault(error)
    const { status, body } = this.#frontEnd.errorReply(fault, '')
    const head = [
      `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(String(body))}`,
      'Connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
}

function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}

function clientFault(error: Error): StatusError {
  switch (systemCode(error)) {
    case 'HPE_HEADER_OVERFLOW':
      return httpFault(431, "The request's head is larger than the 16 KiB allowed")
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpFault(408, "The request's head did not arrive in time")
    default:
      return httpFault(400, `The request is not valid HTTP/1.1: ${messageOf(error)}`)
  }
}
