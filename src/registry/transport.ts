import { readFileSync } from 'node:fs'
import type { ClientRequest, Agent as HttpAgent, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import { http, https } from '../lib/node-http.ts'
import { TimeoutError } from './connection-failure.ts'
import { isLoopback } from './loopback.ts'
import { type RequestBody, sendBody } from './request-body.ts'
import type { Limits } from './types.ts'

/** Which servers are believed to be who they say they are. */
export interface Trust {
  readonly verify: boolean
  /** PEM file of certificate authorities besides the usual ones. */
  readonly caFile?: string
}

export interface HttpRequest {
  readonly url: URL
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly trust: Trust
}

/** Sends one request and gives its answer, whatever the status; rejects with the system's error. */
export type Transport = (ctx: Ctx, request: HttpRequest) => Promise<IncomingMessage>

/** An idle connection is kept this long, for the next request. */
const KEEP_IDLE_MS = 15_000

/**
 * node:http with keep-alive and time limits on everything but the body, whose reader has its own. Goes through the proxy
 * that the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), but never to this machine.
 */
export function createTransport(limits: Pick<Limits, 'connectTimeoutMs' | 'responseTimeoutMs'>): Transport {
  const agents = new Map<string, HttpAgent>()
  const agentFor = (url: URL, trust: Trust) => {
    const key = [url.protocol, isLoopback(url.hostname), trust.verify, trust.caFile].join(' ')
    const agent = agents.get(key) ?? createAgent(url, trust)
    agents.set(key, agent)
    return agent
  }
  return (ctx, { url, method, headers, body, trust }) => {
    throwIfEnded(ctx)
    const isSecure = url.protocol === 'https:'
    const options = { method, headers, timeout: 0, agent: agentFor(url, trust) }
    const request = isSecure ? https().request(url, options) : http.request(url, options)
    return answerOf(ctx, request, { isSecure, body }, limits)
  }
}

function answerOf(
  ctx: Ctx,
  request: ClientRequest,
  { isSecure, body }: { readonly isSecure: boolean; readonly body: RequestBody | undefined },
  { connectTimeoutMs, responseTimeoutMs }: Pick<Limits, 'connectTimeoutMs' | 'responseTimeoutMs'>,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const within = (ms: number) => setTimeout(() => request.destroy(new TimeoutError(ms)), ms)
  let timer = within(connectTimeoutMs)
  const onConnect = () => {
    clearTimeout(timer)
    timer = within(responseTimeoutMs)
  }
  const onAbort = () => request.destroy(new Error('cancelled'))
  ctx.signal.addEventListener('abort', onAbort)
  request.once('socket', (socket) => {
    // A connection that is kept, or one through a proxy, is up already.
    const connecting = (socket as Socket & { secureConnecting?: boolean }).secureConnecting ?? socket.connecting
    if (!connecting) onConnect()
    else socket.once(isSecure ? 'secureConnect' : 'connect', onConnect)
  })
  request.once('response', (response) => {
    clearTimeout(timer)
    resolve(response)
  })
  // Stays for good: a connection may also fail after the answer has begun, which its body reports.
  request.on('error', reject)
  request.once('close', () => {
    clearTimeout(timer)
    ctx.signal.removeEventListener('abort', onAbort)
  })
  // A body may take its time as long as it goes on.
  sendBody(request, body, () => timer.refresh())
  return promise.catch((error) => {
    throwIfEnded(ctx)
    throw error
  })
}

function createAgent(url: URL, { verify, caFile }: Trust): HttpAgent {
  const proxy = isLoopback(url.hostname) ? {} : { proxyEnv: process.env }
  const base = { keepAlive: true, timeout: KEEP_IDLE_MS, ...proxy }
  if (url.protocol === 'http:') return new http.Agent(base)
  // Made once: left to the agent it would be made for every connection, and the usual authorities take 30 ms.
  const trusted = caFile === undefined ? {} : { secureContext: contextWith(readPem(caFile)) }
  return new (https().Agent)({ ...base, ...trusted, rejectUnauthorized: verify })
}

/** Trusts the usual authorities and `pem`. */
function contextWith(pem: string): SecureContext {
  const tls = process.getBuiltinModule('node:tls')
  return tls.createSecureContext({ ca: [...tls.getCACertificates('default'), pem] })
}

function readPem(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8')
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  } catch (cause) {
    throw new StatusError('failed_precondition', `Cannot read the CA file ${file}: ${messageOf(cause)}`, { cause })
  }
  throw new StatusError('failed_precondition', `The CA file ${file} holds no certificate in PEM form`)
}
