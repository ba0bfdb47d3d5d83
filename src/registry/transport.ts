import { readFileSync } from 'node:fs'
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { getCACertificates } from 'node:tls'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import { TimeoutError } from './connection-failure.ts'
import type { Limits } from './types.ts'

/** Which servers are believed to be who they say they are. */
export interface Trust {
  readonly verify: boolean
  /** PEM file of certificate authorities besides the usual ones. */
  readonly caFile?: string
}

export interface HttpRequest {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly trust: Trust
}

/** Sends one request and gives its answer, whatever the status; rejects with the system's error. */
export type Transport = (ctx: Ctx, request: HttpRequest) => Promise<IncomingMessage>

/** An idle connection is kept this long, for the next request. */
const KEEP_IDLE_MS = 15_000

/** node:http with keep-alive and time limits on everything but the body, whose reader has its own. */
export function createTransport(limits: Pick<Limits, 'connectTimeoutMs' | 'responseTimeoutMs'>): Transport {
  const plain = new HttpAgent({ keepAlive: true, timeout: KEEP_IDLE_MS })
  const secure = new Map<string, HttpsAgent>()
  const secureAgent = (trust: Trust) => {
    const key = `${trust.verify} ${trust.caFile ?? ''}`
    const agent = secure.get(key) ?? createSecureAgent(trust)
    secure.set(key, agent)
    return agent
  }
  return (ctx, { url, method, headers, body, trust }) => {
    throwIfEnded(ctx)
    const options = { method, headers, timeout: 0 }
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: secureAgent(trust) })
        : httpRequest(url, { ...options, agent: plain })
    request.end(body)
    return answerOf(ctx, request, url.protocol === 'https:', limits)
  }
}

function answerOf(
  ctx: Ctx,
  request: ClientRequest,
  isSecure: boolean,
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
    if (request.reusedSocket) onConnect()
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
  return promise.catch((error) => {
    throwIfEnded(ctx)
    throw error
  })
}

function createSecureAgent({ verify, caFile }: Trust): HttpsAgent {
  const base = { keepAlive: true, timeout: KEEP_IDLE_MS, rejectUnauthorized: verify }
  return new HttpsAgent(
    caFile === undefined ? base : { ...base, ca: [...getCACertificates('default'), readPem(caFile)] },
  )
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
