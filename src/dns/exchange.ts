import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { parseResponse, type Response } from './message.ts'
import { FrameReader, frame } from './tcp-frames.ts'

const PORT = 53

/** For sockets that are only given addresses: nothing has to be looked up, and node:dns is not loaded. */
export function addressLookup(
  address: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, isIPv6(address) ? 6 : 4)
}

/**
 * Asks one server by UDP. The socket is this question's own, so its port is a random one, and connected, so the kernel
 * takes nothing from anyone else (RFC 5452). Undefined: no answer in time.
 */
export function askByUdp(server: string, sent: Buffer, timeoutMs: number): Promise<Response | undefined> {
  const socket = createSocket({ type: isIPv6(server) ? 'udp6' : 'udp4', lookup: addressLookup })
  return within(timeoutMs, (resolve) => {
    socket.on('error', () => resolve(undefined))
    socket.on('message', (message) => {
      const response = parseResponse(message, sent)
      if (response !== undefined) resolve(response)
    })
    socket.once('connect', () => socket.send(sent))
    socket.connect(PORT, server)
  }).finally(() => socket.close())
}

/** Asks one server by TCP: for what did not fit into a datagram. */
export function askByTcp(server: string, sent: Buffer, timeoutMs: number): Promise<Response | undefined> {
  const socket = connect({ host: server, port: PORT })
  return within(timeoutMs, (resolve) => {
    const frames = new FrameReader()
    socket.on('error', () => resolve(undefined))
    socket.on('end', () => resolve(undefined))
    socket.on('data', (chunk: Buffer) => {
      frames.add(chunk)
      const message = frames.take()
      if (message !== undefined) resolve(parseResponse(message, sent))
    })
    socket.once('connect', () => socket.write(frame(sent)))
  }).finally(() => socket.destroy())
}

type Resolve = (response: Response | undefined) => void

function within(timeoutMs: number, ask: (resolve: Resolve) => void): Promise<Response | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, undefined)
    ask((response) => {
      clearTimeout(timer)
      resolve(response)
    })
  })
}
