import type { IncomingMessage } from 'node:http'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { discard } from './body.ts'
import type { HttpRequest, Transport } from './transport.ts'

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export interface Answer {
  readonly response: IncomingMessage
  /** Where it came from in the end. */
  readonly url: URL
}

/**
 * Sends a request and, if it is a GET or HEAD, goes where the answers point, at most five times. `authorization` goes no further than the server
 * that it was meant for, and a way that began with TLS ends without only where it `mayBePlain`.
 */
export async function followRedirects(
  ctx: Ctx,
  transport: Transport,
  request: HttpRequest,
  mayBePlain: (url: URL) => boolean,
): Promise<Answer> {
  let current = request
  for (let hops = 0; ; hops++) {
    const response = await transport(ctx, current)
    const { location } = response.headers
    const isRead = current.method === 'GET' || current.method === 'HEAD'
    if (!isRead || !REDIRECTS.has(response.statusCode!) || location === undefined) {
      return { response, url: current.url }
    }
    discard(response)
    const from = current.url
    if (hops === MAX_REDIRECTS) throw refused(from, `more than ${MAX_REDIRECTS} times`)
    if (!URL.canParse(location, from)) throw refused(from, 'to what is not a URL')
    const url = new URL(location, from)
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(from, `to "${url.protocol}"`)
    if (url.protocol === 'http:' && from.protocol === 'https:' && !mayBePlain(url)) {
      throw refused(from, `from https to plain http on ${url.host}, where all could read along`)
    }
    url.username = ''
    url.password = ''
    current = {
      ...current,
      url,
      headers: url.origin === from.origin ? current.headers : withoutSecrets(current.headers),
    }
  }
}

function withoutSecrets({ authorization: _dropped, ...rest }: HttpRequest['headers']): HttpRequest['headers'] {
  return rest
}

function refused(from: URL, how: string): StatusError {
  return new StatusError('failed_precondition', `Registry ${from.host} redirects ${how}`)
}
