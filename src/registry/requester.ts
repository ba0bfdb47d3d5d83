import type { IncomingMessage } from 'node:http'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { Authorization } from './authorization.ts'
import { discard, readBeginning } from './body.ts'
import { connectionFailure, isCertificateProblem } from './connection-failure.ts'
import { type Endpoint, mayBePlain } from './endpoint.ts'
import { type Answer, followRedirects } from './redirects.ts'
import { accessDenied, loginNeeded, refusal, wrongCredentials } from './refusal.ts'
import type { RequestBody } from './request-body.ts'
import { retrying, throwIfBusy } from './retry.ts'
import { createTransport, type HttpRequest, type Transport } from './transport.ts'
import type { Limits } from './types.ts'

export interface Wanted {
  /** For messages: `image "docker.io/library/alpine:latest"`. */
  readonly what: string
  /** What is to be done with it, for messages; `get` by default. */
  readonly verb?: 'get' | 'push'
  readonly method?: HttpRequest['method']
  /** Below the repository: `manifests/latest`. */
  readonly path: string
  /** Instead of a path: a place that the registry has named. Credentials go there only if it is the registry itself. */
  readonly at?: URL
  /** One that is a stream can be sent once: then nothing is tried again. */
  readonly body?: RequestBody
  readonly headers: Readonly<Record<string, string>>
  /** The statuses that `read` understands; any other is an error. */
  readonly statuses: readonly number[]
}

/** Gets things from endpoints, and takes things there: with what each wants for authorization, in the scheme it speaks, again if it was busy. */
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
    read: (response: IncomingMessage, url: URL) => Promise<T>,
  ): Promise<T> {
    const limits = { ...this.#limits, tries: triesFor(endpoint, wanted, this.#limits.tries) }
    const schemes = this.#schemesFor(endpoint, wanted)
    for (const [index, scheme] of schemes.entries()) {
      try {
        const result = await retrying(ctx, limits, async () => {
          const { response, url } = await this.#ask(ctx, endpoint, wanted, scheme)
          return await read(response, url)
        })
        if (wanted.at === undefined) this.#schemes.set(endpoint.host, scheme)
        return result
      } catch (error) {
        throwIfEnded(ctx)
        const spoke = error instanceof StatusError || isCertificateProblem(error)
        if (!spoke && wanted.at === undefined) this.#schemes.delete(endpoint.host)
        if (spoke || index === schemes.length - 1) throw connectionFailure(endpoint.host, error)
      }
    }
    throw new StatusError('internal', `No way to speak to registry ${endpoint.host}`)
  }

  /** In the order to be tried. */
  #schemesFor({ host, schemes }: Endpoint, { at }: Wanted): readonly ('https' | 'http')[] {
    if (at !== undefined) return [at.protocol === 'http:' ? 'http' : 'https']
    const known = this.#schemes.get(host)
    return known === undefined ? schemes : [known]
  }

  async #ask(ctx: Ctx, endpoint: Endpoint, wanted: Wanted, scheme: string): Promise<Answer> {
    const base = new URL(`${scheme}://${endpoint.host}/v2/${endpoint.repository && `${endpoint.repository}/`}`)
    const url = wanted.at ?? new URL(wanted.path, base)
    const isOwn = url.origin === base.origin
    let authorization = isOwn ? this.#authorization.header(endpoint) : undefined
    let answer = await this.#send(ctx, endpoint, wanted, url, authorization)
    if (answer.response.statusCode === 401 && isOwn && answer.url.origin === url.origin && !isStream(wanted)) {
      discard(answer.response)
      this.#authorization.forget(endpoint)
      authorization = await this.#authorization.answer(ctx, endpoint, answer.response)
      answer = await this.#send(ctx, endpoint, wanted, url, authorization)
    }
    const { response } = answer
    const status = response.statusCode!
    if (wanted.statuses.includes(status)) return answer
    if (status === 401) {
      discard(response)
      this.#authorization.forget(endpoint)
      throw unauthorized(endpoint, authorization)
    }
    throw refusal(endpoint, wanted, status, await readBeginning(ctx, response, this.#limits))
  }

  async #send(
    ctx: Ctx,
    endpoint: Endpoint,
    wanted: Wanted,
    url: URL,
    authorization: string | undefined,
  ): Promise<Answer> {
    const headers = { ...wanted.headers, 'accept-encoding': 'identity', 'user-agent': 'condenser' }
    const request: HttpRequest = {
      url,
      method: wanted.method ?? 'GET',
      headers: authorization === undefined ? headers : { ...headers, authorization },
      trust: endpoint.trust,
      ...(wanted.body !== undefined && { body: wanted.body }),
    }
    const answer = await followRedirects(ctx, this.#transport, request, (to) => mayBePlain(endpoint, to))
    throwIfBusy(answer.response)
    return answer
  }
}

/** There is another place to ask if a mirror is in trouble. */
function triesFor({ isMirror }: Endpoint, wanted: Wanted, tries: number): number {
  if (isStream(wanted)) return 1
  return isMirror ? Math.min(2, tries) : tries
}

function isStream({ body }: Wanted): boolean {
  return typeof body === 'object' && 'chunks' in body
}

/** A 401 in spite of what was sent. A token server has checked the password already. */
function unauthorized(endpoint: Endpoint, authorization: string | undefined): StatusError {
  if (endpoint.auth === undefined) return loginNeeded(endpoint)
  return authorization?.startsWith('Bearer ') ? accessDenied(endpoint) : wrongCredentials(endpoint)
}
