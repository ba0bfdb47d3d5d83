import type { ClientRequest, IncomingMessage } from 'node:http'

/** Bytes that are read as they are sent. */
export interface StreamBody {
  readonly sizeBytes: number
  readonly chunks: AsyncIterable<Uint8Array>
}

export type RequestBody = string | Uint8Array | StreamBody

/**
 * Sends a body, no faster than the server takes it, and ends the request; `onSent` is called for each piece that went.
 * An answer that comes before the end ends the sending: the rest is of no use to whoever has decided already.
 */
export function sendBody(request: ClientRequest, body: RequestBody | undefined, onSent: () => void): void {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) request.end(body)
  else void sendStream(request, body, onSent)
}

async function sendStream(request: ClientRequest, { chunks }: StreamBody, onSent: () => void): Promise<void> {
  let isAnswered = false
  request.once('response', (response: IncomingMessage) => {
    isAnswered = true
    response.once('close', () => {
      if (!request.writableEnded) request.destroy()
    })
  })
  try {
    for await (const chunk of chunks) {
      if (isAnswered || request.destroyed) return
      if (!request.write(chunk)) await drained(request)
      onSent()
    }
    request.end()
  } catch (error) {
    request.destroy(error as Error)
  }
}

/** Until the request takes more, is answered, or its connection is gone. */
async function drained(request: ClientRequest): Promise<void> {
  if (request.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const events = ['drain', 'response', 'close'] as const
  for (const event of events) request.on(event, resolve)
  await promise
  for (const event of events) request.off(event, resolve)
}
