import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Endpoint } from './endpoint.ts'
import { CliError } from './errors.ts'

/** What every JSON answer looks like (contract 1.2). */
interface Envelope {
  readonly status: 'success' | 'fail'
  readonly message?: string
  readonly data?: unknown
}

export interface Client {
  /** The `data` of the answer. @throws {CliError} with the daemon's message */
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  /** The answer as it comes, for logs and progress. `body` may be a stream. */
  stream(method: string, path: string, options?: StreamOptions): Promise<IncomingMessage>
  /** Open, and paused until `resume`. @throws {CliError} with the daemon's message if it does not want to */
  webSocket(path: string): Promise<WebSocket>
}

export interface StreamOptions {
  readonly body?: unknown
  readonly input?: NodeJS.ReadableStream
  readonly accept?: string
}

/** A client of the daemon there. */
export function connect(endpoint: Endpoint): Client {
  const send = async (
    method: string,
    path: string,
    { body, input, accept }: StreamOptions = {},
  ): Promise<IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      ...(accept === undefined ? {} : { accept }),
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    }
    const outgoing = endpoint.request({ method, path, headers }, resolve)
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(endpoint.explain(error)))
    // The input may take its time, and the server waits 20 s for a head.
    if (input === undefined) outgoing.end(payload)
    else {
      outgoing.flushHeaders()
      input.on('error', (error) => outgoing.destroy(error)).pipe(outgoing)
    }
    const answer = await promise
    if (answer.statusCode !== undefined && answer.statusCode >= 400) throw await failure(answer)
    return answer
  }
  return {
    stream: send,
    async webSocket(path) {
      const { WebSocket } = await import('ws')
      const { url, options } = endpoint.webSocket(path)
      const socket = new WebSocket(url, { ...options, perMessageDeflate: false })
      const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
      // What comes with the answer must wait for who listens.
      socket.once('open', () => {
        socket.pause()
        resolve(socket)
      })
      socket.once('unexpected-response', (_request, answer) => failure(answer).then(reject, reject))
      socket.on('error', (error: NodeJS.ErrnoException) => reject(endpoint.explain(error)))
      return await promise
    },
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
      const answer = await send(method, path, { body })
      return (JSON.parse(await textOf(answer)) as Envelope).data as T
    },
  }
}

/** Without node:readline, which brings 5 ms of modules with it. */
export async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  if (rest !== '') yield rest
}

export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

async function failure(answer: IncomingMessage): Promise<CliError> {
  const text = await textOf(answer)
  try {
    const { message } = JSON.parse(text) as Envelope
    if (message) return new CliError(message, undefined, { status: answer.statusCode })
  } catch {
    // Not the daemon's envelope: the text itself is the best there is.
  }
  return new CliError(`The daemon answered ${answer.statusCode}: ${text.slice(0, 500) || answer.statusMessage}`)
}
