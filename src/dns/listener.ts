import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import { addressLookup } from './exchange.ts'
import type { Requests } from './requests.ts'
import { FrameReader, frame } from './tcp-frames.ts'

const PORT = 53
const CONNECTIONS_LIMIT = 128
const CLIENT_CONNECTIONS_LIMIT = 16
const IDLE_MS = 10_000
/** Of answers that a client asked for and does not read. */
const UNREAD_LIMIT_BYTES = 2 ** 18
const QUERY_LIMIT_BYTES = 4096

/**
 * The sockets of one network, on its gateway's address. They are bound such that the next version of this program
 * can bind them too, before this one lets go.
 */
export class Listener {
  readonly gateway: string
  readonly #udp: UdpSocket
  readonly #tcp: Server
  readonly #connections = new Set<Socket>()
  #closed = false

  /** @throws the system's error, `EADDRINUSE` and the like */
  static async open(network: string, gateway: string, requests: Requests): Promise<Listener> {
    const udp = createSocket({ type: 'udp4', reusePort: true, lookup: addressLookup })
    const tcp = createServer()
    try {
      await started(udp, (done) => udp.bind({ port: PORT, address: gateway }, done))
      await started(tcp, (done) => tcp.listen({ port: PORT, host: gateway, reusePort: true, backlog: 64 }, done))
    } catch (error) {
      udp.close()
      throw error
    }
    return new Listener(network, gateway, requests, udp, tcp)
  }

  private constructor(network: string, gateway: string, requests: Requests, udp: UdpSocket, tcp: Server) {
    this.gateway = gateway
    this.#udp = udp
    this.#tcp = tcp
    // What one packet or connection does wrong ends there.
    udp.on('error', () => {})
    tcp.on('error', () => {})
    udp.on('message', (message, { address, port }) => {
      if (!requests.mayAsk(network, address)) return
      requests
        .answer(network, address, message, 'udp')
        .then((response) => {
          if (response !== undefined && !this.#closed) udp.send(response, port, address, () => {})
        })
        .catch(reportFault)
    })
    tcp.maxConnections = CONNECTIONS_LIMIT
    tcp.on('connection', (socket) => this.#accept(socket, network, requests))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#udp.close()
    this.#tcp.close()
    for (const socket of this.#connections) socket.destroy()
  }

  #accept(socket: Socket, network: string, requests: Requests): void {
    const client = socket.remoteAddress
    const others = [...this.#connections].filter(({ remoteAddress }) => remoteAddress === client).length
    if (client === undefined || !requests.mayAsk(network, client) || others >= CLIENT_CONNECTIONS_LIMIT) {
      socket.destroy()
      return
    }
    this.#connections.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#connections.delete(socket))
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    const answer = (message: Buffer) => requests.answer(network, client, message, 'tcp')
    const frames = new FrameReader(QUERY_LIMIT_BYTES)
    socket.on('data', (chunk: Buffer) => {
      frames.add(chunk)
      socket.pause()
      answerAll(socket, frames, answer)
        .then((goOn) => (goOn ? socket.resume() : socket.destroy()))
        .catch((error: unknown) => {
          reportFault(error)
          socket.destroy()
        })
    })
  }
}

/** In order, one at a time. False for a client that sends or leaves unread what none should. */
async function answerAll(
  socket: Socket,
  frames: FrameReader,
  answer: (message: Buffer) => Promise<Buffer | undefined>,
): Promise<boolean> {
  for (let message = frames.take(); message !== undefined; message = frames.take()) {
    const response = await answer(message)
    if (response === undefined || socket.writableLength > UNREAD_LIMIT_BYTES) return false
    socket.write(frame(response))
  }
  return !frames.tooLong
}

/** Of this program: it costs one answer, not all that follow. */
function reportFault(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
}

function started(emitter: UdpSocket | Server, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    emitter.once('error', reject)
    start(() => {
      emitter.off('error', reject)
      resolve()
    })
  })
}
