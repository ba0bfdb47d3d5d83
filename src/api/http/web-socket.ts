import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'
import { httpFault } from './status.ts'

/** What a client may send in one message. */
const MESSAGE_LIMIT = 8 * 1024 * 1024 + 64
/** What may wait for a client before the next message waits for him too. */
const SEND_AHEAD_BYTES = 512 * 1024
/** RFC 6455, section 7.1.5: no client sends or gets more. */
const REASON_BYTES = 123
const CLOSE_TIMEOUT_MS = 5000

/** RFC 6455, section 7.4.1, and the registry of close codes. */
export const CLOSE = {
  normal: 1000,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  restart: 1012,
  tryLater: 1013,
  /** Never sent: there was no farewell. */
  broken: 1006,
} as const

/** The server's side of a WebSocket that carries binary messages. */
export interface Channel {
  /** Resolves with the close code when it has ended, whoever ended it; 1006 if the connection broke. */
  readonly closed: Promise<number>
  /** Called for each binary message; text is ignored. Nothing is read before, so nothing is missed. */
  onMessage(listener: (bytes: Buffer) => void): void
  /** The client's messages wait until `resume`. */
  pause(): void
  resume(): void
  /** Resolves when there is room for more; at once when it has ended. Calls `sent` when the bytes are needed no longer. */
  send(bytes: Uint8Array, sent?: () => void): Promise<void>
  close(code: number, reason: string): void
}

/** Whether a request asks to become a WebSocket; any other upgrade is ignored, as it may be. */
export function isWebSocketRequest({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/** @throws {StatusError} for a request that cannot become one (RFC 6455, section 4.2.1) */
export function assertUpgradable({ headers }: IncomingMessage): void {
  if (headers['sec-websocket-version'] !== '13') throw httpFault(426, 'Only version 13 of WebSocket is possible')
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')) {
    throw httpFault(400, 'The request has no valid Sec-WebSocket-Key')
  }
}

let server: WebSocketServer | undefined

/** Of a client who has gone before the handshake was complete. */
const GONE: Channel = {
  closed: Promise.resolve(CLOSE.broken),
  onMessage() {},
  pause() {},
  resume() {},
  async send() {},
  close() {},
}

/** Completes the handshake. The package is loaded here, at the first use: most daemons never need it. */
export async function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Channel> {
  const { WebSocketServer } = await import('ws')
  server ??= new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_LIMIT,
  })
  const { promise, resolve } = Promise.withResolvers<Channel>()
  socket.once('close', () => resolve(GONE))
  if (socket.destroyed) return GONE
  server.handleUpgrade(request, socket, head, (ws) => resolve(channelOf(ws)))
  return await promise
}

function channelOf(ws: WebSocket): Channel {
  ws.pause()
  const { promise: closed, resolve: setClosed } = Promise.withResolvers<number>()
  ws.once('close', setClosed)
  // What comes that is no WebSocket's closes it with the code that fits; there is nobody else to tell.
  ws.on('error', () => {})
  return {
    closed,
    onMessage(listener) {
      ws.on('message', (data, isBinary) => {
        if (isBinary) listener(data as Buffer)
      })
      ws.resume()
    },
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    async send(bytes, sent) {
      if (ws.readyState !== ws.OPEN) return sent?.()
      const { promise: written, resolve } = Promise.withResolvers<void>()
      ws.send(bytes, { binary: true }, () => {
        sent?.()
        resolve()
      })
      if (ws.bufferedAmount > SEND_AHEAD_BYTES) await Promise.race([written, closed])
    },
    close(code, reason) {
      // A client that is paused would not be heard when it answers.
      ws.resume()
      ws.close(
        code,
        Buffer.from(reason)
          .subarray(0, REASON_BYTES)
          .toString()
          .replace(/\uFFFD$/, ''),
      )
      setTimeout(() => ws.terminate(), CLOSE_TIMEOUT_MS).unref()
    },
  }
}
