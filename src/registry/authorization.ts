import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { basicHeader, type Endpoint } from './endpoint.ts'
import { loginNeeded } from './refusal.ts'
import { fetchToken, type Token } from './token.ts'
import type { Transport } from './transport.ts'
import type { Limits } from './types.ts'

/** What a server was found to want. Passwords are not kept: they come with each call. */
type Known = { readonly scheme: 'basic' } | ({ readonly scheme: 'bearer' } & Token)

const MAX_KNOWN = 256

/**
 * Finds out what a registry wants to see before it hands out a repository, and remembers tokens until they expire, by
 * server, repository and credentials.
 */
export class Authorization {
  readonly #transport: Transport
  readonly #limits: Limits
  readonly #known = new Map<string, Known>()

  constructor(transport: Transport, limits: Limits) {
    this.#transport = transport
    this.#limits = limits
  }

  /** The header to begin with, from what is known. */
  header(endpoint: Endpoint): string | undefined {
    if (endpoint.auth?.registryToken) return `Bearer ${endpoint.auth.registryToken}`
    const key = keyOf(endpoint)
    const known = this.#known.get(key)
    if (known === undefined) return undefined
    if (known.scheme === 'basic') return basicHeader(endpoint)
    if (known.expiresAt > Date.now()) return `Bearer ${known.token}`
    this.#known.delete(key)
    return undefined
  }

  /** The header that answers a 401. @throws {StatusError} if there is no answer */
  async answer(ctx: Ctx, endpoint: Endpoint, response: IncomingMessage): Promise<string> {
    if (endpoint.auth?.registryToken) throw refusedToken(endpoint)
    const challenges = parseChallenges(response.headers['www-authenticate'] ?? '')
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'])
    if (bearer !== undefined) return await this.#bearer(ctx, endpoint, bearer)
    if (!challenges.some(({ scheme }) => scheme === 'basic')) throw noKnownScheme(endpoint, challenges)
    const header = basicHeader(endpoint)
    if (header === undefined) throw loginNeeded(endpoint)
    this.#remember(endpoint, { scheme: 'basic' })
    return header
  }

  /** What was known is not true any more. */
  forget(endpoint: Endpoint): void {
    this.#known.delete(keyOf(endpoint))
  }

  async #bearer(ctx: Ctx, endpoint: Endpoint, challenge: Challenge): Promise<string> {
    const token = await fetchToken(ctx, this.#transport, this.#limits, endpoint, challenge)
    this.#remember(endpoint, { scheme: 'bearer', ...token })
    return `Bearer ${token.token}`
  }

  #remember(endpoint: Endpoint, known: Known): void {
    const key = keyOf(endpoint)
    this.#known.delete(key)
    this.#known.set(key, known)
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!)
  }
}

function refusedToken({ host }: Endpoint): StatusError {
  return new StatusError('unauthenticated', `Registry ${host} does not accept the registry token that was given`)
}

function noKnownScheme({ host }: Endpoint, challenges: readonly Challenge[]): StatusError {
  const offered = challenges.map(({ scheme }) => scheme.slice(0, 30)).join(', ') || 'nothing'
  return new StatusError(
    'unauthenticated',
    `Registry ${host} wants a login but offers no way that is supported (Bearer or Basic): it offers ${offered}`,
  )
}

function keyOf({ host, repository, auth }: Endpoint): string {
  const who = createHash('sha256')
    .update(JSON.stringify(auth ?? null))
    .digest('hex')
  return `${host} ${repository} ${who}`
}
