import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Channel } from './web-socket.ts'

/** What becomes of a connection that is a WebSocket: it is closed when this resolves. */
export type Conversation = (channel: Channel) => Promise<void>

/** What a handler answers. A stream is read no faster than the client takes it, and closed when the client goes. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string>
  /** With 101, of a route that upgrades. */
  readonly converse?: Conversation
}

export function json(status: number, value: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` }
}

/** Makes the connection a WebSocket. What it holds is the conversation's to give back: that is always begun. */
export function upgrade(converse: Conversation): Reply {
  return { status: 101, converse }
}

export function stream(contentType: string, body: AsyncIterable<Uint8Array | string>): Reply {
  return { status: 200, headers: { 'content-type': contentType }, body }
}

/** Waits for the first item, so that what fails at once is still answered as an error. */
export async function primed<T>(items: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = items[Symbol.asyncIterator]()
  const first = await iterator.next()
  return (async function* () {
    try {
      for (let item = first; !item.done; item = await iterator.next()) yield item.value
    } finally {
      await iterator.return?.()
    }
  })()
}

/** Writes a whole reply. Rejects if a stream fails; its head has been sent then, so the connection must be cut. */
export async function send(response: ServerResponse, { status, headers, body }: Reply): Promise<void> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    const length = body === undefined ? 0 : Buffer.byteLength(body)
    response.writeHead(status, { ...headers, 'content-length': length })
    response.end(body)
    return
  }
  response.writeHead(status, headers)
  response.flushHeaders()
  for await (const chunk of body) {
    if (response.destroyed) return
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

/** Until the response takes more, or its connection is gone. */
async function drained(response: ServerResponse): Promise<void> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  } finally {
    settled.abort()
  }
}
