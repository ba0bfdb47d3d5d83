import { readFile, stat } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import type { Route } from '../api/http/route.ts'
import { HttpServer, type HttpServerOptions } from '../api/http/server.ts'
import { requireToken } from '../api/metrics/index.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import type { Config } from './config.ts'

export interface MetricsDoorOptions extends Pick<HttpServerOptions, 'log' | 'auditLog'> {
  readonly config: NonNullable<Config['metrics']>
  readonly route: Route
  readonly errorReply: HttpServerOptions['frontEnd']['errorReply']
}

/** Scrapers come one at a time; nobody without the token shall fill the daemon with connections. */
const MAX_CONNECTIONS = 32
const SHORTEST_TOKEN = 16
const OTHERS = 0o007

/**
 * Lets holders of a token read the metrics over plain HTTP on a loopback address, and do nothing else: for a scraper
 * that is not to hold a client certificate, which would make it root. The token's file is read at each request.
 * @throws {StatusError} `failed_precondition` if the address is taken or the token is none
 */
export async function openMetricsDoor({
  config,
  route,
  errorReply,
  log,
  auditLog,
}: MetricsDoorOptions): Promise<AsyncDisposable> {
  const { listen, tokenFile } = config
  await readToken(tokenFile)
  const guarded = requireToken(route, () => readToken(tokenFile))
  const identify = (connection: Socket) => ({ who: { address: connection.remoteAddress ?? '' }, admitted: true })
  const server = new HttpServer({ frontEnd: { routes: [guarded], errorReply }, identify, log, auditLog })
  const listener = createServer((connection) => server.adopt(connection, identify(connection)))
  listener.maxConnections = MAX_CONNECTIONS
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  listener.once('error', reject).listen(listen.port, listen.host, resolve)
  await promise.catch((cause) => {
    const message = `Cannot serve metrics on ${listen.host}:${listen.port}: ${messageOf(cause)}; give metrics.listen another address`
    throw new StatusError('failed_precondition', message, { cause })
  })
  return {
    async [Symbol.asyncDispose]() {
      listener.close()
      await server.close(0)
    },
  }
}

async function readToken(file: string): Promise<string> {
  const wrong = (problem: string) =>
    new StatusError('failed_precondition', `Cannot use metrics.tokenFile ${file}: ${problem}`)
  const [token, { mode }] = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch((error) => {
    throw wrong(messageOf(error))
  })
  if ((mode & OTHERS) !== 0) throw wrong('everybody may read or write it; chmod o= it')
  if (token.trim().length < SHORTEST_TOKEN)
    throw wrong(`a token has at least ${SHORTEST_TOKEN} characters, as from: openssl rand -hex 32`)
  return token.trim()
}
