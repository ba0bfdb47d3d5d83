import { isIP } from 'node:net'
import { messageOf, StatusError } from '../../lib/errors.ts'
import { converse } from './converse.ts'
import { type HttpAnswer, readAnswer } from './http-answer.ts'

export interface HttpTarget {
  readonly scheme: 'http' | 'https'
  /** Address or name that is connected to. */
  readonly host: string
  readonly port: number
  /** With its query. */
  readonly path: string
  /** Names may come twice; `Host` is what the server is told. */
  readonly headers: readonly HttpHeader[]
  readonly userAgent: string
}

interface HttpHeader {
  readonly name: string
  readonly value: string
}

const MAX_REDIRECTS = 10
const REDIRECTS = [301, 302, 303, 307, 308]
/** Of the manifest's headers those that are about the message: Go's client leaves them out. `Host` goes first. */
const NOT_SENT = ['host', 'connection', 'content-length', 'transfer-encoding', 'trailer']

/**
 * Asks a server that is not to be trusted: the status of its answer, after redirects that stay on the host.
 *
 * Without node:http, which takes longer, and hints before the answer (1xx) without a bound. Of the answer only some KiB
 * are read, and no connection is kept.
 * @throws {StatusError} `resource_exhausted` if it is this host that cannot ask
 * @throws {Error} if there is no whole answer before the signal ends
 */
export async function httpGet(signal: AbortSignal, target: HttpTarget): Promise<number> {
  const { scheme, host, port, path } = target
  const first = new URL(`${scheme}://${authority(host, port)}${path.startsWith('/') ? '' : '/'}${path}`)
  let url = first
  for (let redirects = 0; ; redirects++) {
    const { status, location } = await getOnce(signal, url, target).catch((error) => {
      if (error instanceof StatusError) throw error
      throw new Error(`Get "${url.href.slice(0, 200)}": ${messageOf(error)}`)
    })
    const next = REDIRECTS.includes(status) && location !== '' ? URL.parse(location, url) : null
    if (next === null || !isWeb(next) || next.hostname !== first.hostname) return status
    if (redirects === MAX_REDIRECTS) {
      throw new Error(`Get "${first.href.slice(0, 200)}": more than ${redirects} redirects`)
    }
    url = next
  }
}

async function getOnce(signal: AbortSignal, url: URL, { headers, userAgent }: HttpTarget): Promise<HttpAnswer> {
  const isSecure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (isSecure ? 443 : 80))
  const request = requestOf(url, headersOf(headers, authority(host, port), userAgent))
  return await converse<HttpAnswer>(signal, { host, port, isSecure }, ({ socket, resolve, reject }) => {
    let text = ''
    const look = (hasEnded: boolean) => {
      try {
        const answer = readAnswer(text, hasEnded)
        if (answer !== undefined) resolve(answer)
      } catch (error) {
        reject(error)
      }
    }
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      look(false)
    })
    socket.on('end', () => look(true))
    socket.write(request)
  })
}

/** @throws {Error} if a header could be taken for something else */
function requestOf({ pathname, search }: URL, headers: readonly HttpHeader[]): string {
  const lines = headers.map(({ name, value }) => {
    if (/[^!-~]|:/.test(name) || /[\r\n\0]/.test(value)) throw new Error(`a header cannot be sent: ${name}`)
    return `${name}: ${value}\r\n`
  })
  return `GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`
}

function headersOf(given: readonly HttpHeader[], authority: string, userAgent: string): HttpHeader[] {
  const byName = new Map(given.map(({ name, value }) => [name.toLowerCase(), value]))
  const usual = [
    { name: 'User-Agent', value: userAgent },
    { name: 'Accept', value: '*/*' },
  ]
  return [
    { name: 'Host', value: byName.get('host') || authority },
    ...usual.filter(({ name }) => !byName.has(name.toLowerCase())),
    ...given.filter(({ name }) => !NOT_SENT.includes(name.toLowerCase())),
    { name: 'Connection', value: 'close' },
  ]
}

function authority(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

function isWeb({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:'
}
