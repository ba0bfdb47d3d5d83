import type { IncomingMessage } from 'node:http'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { Authorization } from './authorization.ts'
import { discard, readBeginning } from './body.ts'
import { connectionFailure, isCertificateProblem } from './connection-failure.ts'
import { type Endpoint, mayBePlain } from './endpoint.ts'
import { type Answer, followRedirects } from './redirects.ts'
import { accessDenied, loginNeeded, refusal, wrongCredentials } from './refusal.ts'
import { retrying, throwIfBusy } from './retry.ts'
import { createTransport, type Transport } from './transport.ts'
import type { Limits } from './types.ts'

export interface Wanted {
  /** For messages: `image "docker.io/library/alpine:latest"`. */
  readonly what: string
  /** Below the repository: `manifests/latest`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The statuses that `read` understands; any other is an error. */
  readonly statuses: readonly number[]
}

/** Gets things from endpoints: with what each wants for authorization, in the scheme it speaks, again if it was busy. */
export class Requester {
  readonly #transport: Transport
  readonly #limits: Limits
  readonly #authorization: Authorization
  /** What hosts that may be asked in either were found to speak. */
  readonly #schemes = new Map<string, 'https' | 'http'>()

  constructor(limits: Limits) {
    this.#limits = limits
    this.#transport = createTransport(limits)
    this.#authorization = new Authorization(this.#transport, limits)
  }

  /** Asks, and lets `read` read the answer; both are tried again if the connection breaks. Only throws StatusErrors. */
  async get<T>(
    ctx: Ctx,
    endpoint: Endpoint,
    wanted: Wanted,
    read: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    // There is another place to ask if a mirror is in trouble.
    const limits = endpoint.isMirror ? { ...this.#limits, tries: Math.min(2, this.#limits.tries) } : this.#limits
    const known = this.#schemes.get(endpoint.host)
    const schemes = known === undefined ? endpoint.schemes : [known]
    for (const [index, scheme] of schemes.entries()) {
      try {
        const result = await retrying(ctx, limits, async () => read(await this.#ask(ctx, endpoint, wanted, scheme)))
        this.#schemes.set(endpoint.host, scheme)
        return result
      } catch (error) {
        throwIfEnded(ctx)
        const spoke = error instanceof StatusError || isCertificateProblem(error)
        if (!spoke) this.#schemes.delete(endpoint.host)
        if (spoke || index === schemes.length - 1) throw connectionFailure(endpoint.host, error)
      }
    }
    throw new StatusError('internal', `No way to speak to registry ${endpoint.host}`)
  }

  async #ask(ctx: Ctx, endpoint: Endpoint, wanted: Wanted, scheme: string): Promise<IncomingMessage> {
    const url = new URL(`${scheme}://${endpoint.host}/v2/${endpoint.repository}/${wanted.path}`)
    let authorization = this.#authorization.header(endpoint)
    let answer = await this.#send(ctx, endpoint, wanted, url, authorization)
    if (answer.response.statusCode === 401 && answer.url.origin === url.origin) {
      discard(answer.response)
      this.#authorization.forget(endpoint)
      authorization = await this.#authorization.answer(ctx, endpoint, answer.response)
      answer = await this.#send(ctx, endpoint, wanted, url, authorization)
    }
    const { response } = answer
    const status = response.statusCode!
    if (wanted.statuses.includes(status)) return response
    if (status === 401) {
      discard(response)
      this.#authorization.forget(endpoint)
      throw unauthorized(endpoint, authorization)
    }
    throw refusal(endpoint, wanted.what, status, await readBeginning(ctx, response, this.#limits))
  }

  async #send(
    ctx: Ctx,
    endpoint: Endpoint,
    wanted: Wanted,
    url: URL,
    authorization: string | undefined,
  ): Promise<Answer> {
    const headers = { ...wanted.headers, 'accept-encoding': 'identity', 'user-agent': 'condenser' }
    const request = {
      url,
      method: 'GET' as const,
      headers: authorization === undefined ? headers : { ...headers, authorization },
      trust: endpoint.trust,
    }
    const answer = await followRedirects(ctx, this.#transport, request, (to) => mayBePlain(endpoint, to))
    throwIfBusy(answer.response)
    return answer
  }
}

/** A 401 in spite of what was sent. A token server has checked the password already. */
function unauthorized(endpoint: Endpoint, authorization: string | undefined): StatusError {
  if (endpoint.auth === undefined) return loginNeeded(endpoint)
  return authorization?.startsWith('Bearer ') ? accessDenied(endpoint) : wrongCredentials(endpoint)
}
