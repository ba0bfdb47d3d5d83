import type { IncomingMessage } from 'node:http'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { discard, readAll } from './body.ts'
import type { Challenge } from './challenge.ts'
import { connectionFailure } from './connection-failure.ts'
import { basicHeader, type Endpoint, mayBePlain } from './endpoint.ts'
import { followRedirects } from './redirects.ts'
import { loginNeeded, wrongCredentials } from './refusal.ts'
import { retrying, throwIfBusy } from './retry.ts'
import { mayGetCredentials } from './token-realms.ts'
import type { HttpRequest, Transport } from './transport.ts'
import type { Limits } from './types.ts'

export interface Token {
  readonly token: string
  /** ms since the epoch, with a margin. */
  readonly expiresAt: number
}

const MAX_REPLY_BYTES = 1024 * 1024
/** What a token is good for if its server does not say (distribution's token specification). */
const DEFAULT_LIFETIME_S = 60
const CLIENT_ID = 'condenser'

/**
 * Gets a token that allows to pull from the endpoint's repository, from the server that the registry names
 * (distribution, spec/auth/token.md; with an identity token spec/auth/oauth.md).
 */
export async function fetchToken(
  ctx: Ctx,
  transport: Transport,
  limits: Limits,
  endpoint: Endpoint,
  { parameters }: Challenge,
): Promise<Token> {
  const realm = parseRealm(endpoint, parameters['realm']!)
  const request = tokenRequest(endpoint, realm, {
    service: parameters['service'] ?? '',
    scope: parameters['scope'] ?? (endpoint.repository === '' ? '' : `repository:${endpoint.repository}:pull`),
  })
  try {
    return await retrying(ctx, limits, async () => {
      const response = await send(ctx, transport, request, endpoint)
      if (response.statusCode === 200) return await parseReply(ctx, limits, realm, response)
      discard(response)
      throw tokenRefused(endpoint, realm, response.statusCode!)
    })
  } catch (error) {
    throw connectionFailure(realm.host, error)
  }
}

/** An identity token in a body goes nowhere but to the server that was named. */
async function send(
  ctx: Ctx,
  transport: Transport,
  request: HttpRequest,
  endpoint: Endpoint,
): Promise<IncomingMessage> {
  const response =
    request.method === 'GET'
      ? (await followRedirects(ctx, transport, request, (to) => mayBePlain(endpoint, to))).response
      : await transport(ctx, request)
  throwIfBusy(response)
  return response
}

function parseRealm(endpoint: Endpoint, realm: string): URL {
  const { host, hostname, auth, tokenRealms } = endpoint
  if (!URL.canParse(realm))
    throw new StatusError('unavailable', `Registry ${host} names a token server that is not a URL`)
  const url = new URL(realm)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayBePlain(endpoint, url))) {
    throw new StatusError(
      'failed_precondition',
      `Registry ${host} names a token server without TLS, ${url.host}: refused`,
    )
  }
  if (auth !== undefined && !mayGetCredentials(hostname, url.hostname, tokenRealms)) {
    throw new StatusError(
      'failed_precondition',
      `Registry ${host} wants the credentials to be sent to ${url.hostname}, which does not belong to it: if that is right, add "${url.hostname}" to "tokenRealms" of this registry in the configuration`,
    )
  }
  url.username = ''
  url.password = ''
  return url
}

function tokenRequest(
  endpoint: Endpoint,
  realm: URL,
  { service, scope }: { readonly service: string; readonly scope: string },
): HttpRequest {
  const { auth, trust } = endpoint
  if (auth?.identityToken) {
    const form = {
      grant_type: 'refresh_token',
      refresh_token: auth.identityToken,
      service,
      scope,
      client_id: CLIENT_ID,
    }
    const body = new URLSearchParams(form).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(Buffer.byteLength(body)),
    }
    return { url: realm, method: 'POST', headers, body, trust }
  }
  const url = new URL(realm)
  if (service !== '') url.searchParams.set('service', service)
  // Several scopes in one challenge are one parameter each.
  for (const one of scope.split(' ').filter((part) => part !== '')) url.searchParams.append('scope', one)
  const authorization = basicHeader(endpoint)
  if (authorization !== undefined) url.searchParams.set('account', auth!.username!)
  return { url, method: 'GET', headers: authorization === undefined ? {} : { authorization }, trust }
}

async function parseReply(ctx: Ctx, limits: Limits, realm: URL, response: IncomingMessage): Promise<Token> {
  let reply: Readonly<Record<string, unknown>>
  try {
    const what = `The answer of token server ${realm.host}`
    reply = JSON.parse(String(await readAll(ctx, response, { ...limits, maxBytes: MAX_REPLY_BYTES, what })))
  } catch (error) {
    // A parse error quotes what it could not parse: it is not passed on, because it may hold the token.
    throw error instanceof SyntaxError ? noToken(realm) : error
  }
  const token = reply?.['token'] || reply?.['access_token']
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw noToken(realm)
  const lifetimeS = Number(reply['expires_in']) > 0 ? Number(reply['expires_in']) : DEFAULT_LIFETIME_S
  return { token, expiresAt: Date.now() + lifetimeS * 900 }
}

function noToken(realm: URL): StatusError {
  return new StatusError('unavailable', `Token server ${realm.host} answers without a token`)
}

function tokenRefused(endpoint: Endpoint, realm: URL, status: number): StatusError {
  if (status === 401 || status === 400)
    return endpoint.auth === undefined ? loginNeeded(endpoint) : wrongCredentials(endpoint)
  if (status === 403) {
    return new StatusError('permission_denied', `Token server ${realm.host} denies access to "${endpoint.repository}"`)
  }
  return new StatusError('unavailable', `Token server ${realm.host} answers with status ${status}`)
}
