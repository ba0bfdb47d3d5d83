/**
 * Small TCP and UDP servers, of both families, and clients in any network namespace, all in this process. `netns`
 * undefined: our own.
 */
import assert from 'node:assert/strict'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import { addressFamily, type Family } from '../../src/lib/ip-address.ts'
import { check, libc } from '../../src/linux/libc.ts'
import { inNetns } from '../../src/linux/netns.ts'

export type Protocol = 'tcp' | 'udp'

const socket = libc('int socket(int, int, int)')
const bind = libc('int bind(int, const void*, uint32_t)')

const AF = { 4: 2, 6: 10 } as const
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_FLAGS = 0o2004000 // CLOEXEC, NONBLOCK

/** How long an answer that should come may take, and how long we wait for one that should not. */
const ANSWER_MS = 10_000
const SILENCE_MS = 400

export interface Server extends AsyncDisposable {
  /** The addresses of all who have reached it, whether the answer got back or not. */
  readonly heard: ReadonlySet<string>
}

/** Answers everybody with `<text> <address of the client>`. */
export async function serve(
  netns: string | undefined,
  protocol: Protocol,
  port: number,
  text: string,
): Promise<Server> {
  return protocol === 'tcp' ? serveTcp(netns, port, text) : serveUdp(netns, port, text)
}

/** The server's answer. @throws if none comes */
export async function ask(
  netns: string | undefined,
  protocol: Protocol,
  address: string,
  port: number,
): Promise<string> {
  const answer = await attempt(netns, protocol, address, port, ANSWER_MS)
  if (answer === undefined) throw new Error(`No answer from ${address}:${port}/${protocol}`)
  return answer
}

/** Whether nothing answers there: refused, unreachable or silent. */
export async function isClosed(
  netns: string | undefined,
  protocol: Protocol,
  address: string,
  port: number,
): Promise<boolean> {
  return (await attempt(netns, protocol, address, port, SILENCE_MS)) === undefined
}

/** Each of these ports, at each address, from each namespace; all at once, because silence takes its time. */
export async function assertClosed(
  protocol: Protocol,
  from: readonly (string | undefined)[],
  addresses: readonly string[],
  ports: readonly number[],
): Promise<void> {
  const checks = from.flatMap((netns) =>
    addresses.flatMap((address) => ports.map((port) => ({ netns, address, port }))),
  )
  await Promise.all(
    checks.map(async ({ netns, address, port }) =>
      assert.ok(await isClosed(netns, protocol, address, port), `${address} ${port}/${protocol} from ${netns}`),
    ),
  )
}

/** Says back whatever it is told, on each TCP connection for as long as the client wants. */
export async function serveEcho(netns: string | undefined, port: number): Promise<AsyncDisposable> {
  const server = createServer((client) => client.on('error', () => {}).pipe(client))
  within(netns, () => server.listen(port))
  if (!server.listening) await once(server, 'listening')
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** A TCP connection to an echo server. */
export interface EchoClient extends Disposable {
  /** What comes back. @throws if nothing does */
  say(text: string): Promise<string>
}

export async function openEcho(netns: string | undefined, address: string, port: number): Promise<EchoClient> {
  const client = new Socket({ fd: socketIn(netns, 'tcp', addressFamily(address)), readable: true, writable: true })
  client.connect({ host: address, port })
  await once(client, 'connect', { signal: AbortSignal.timeout(ANSWER_MS) })
  return {
    async say(text) {
      client.write(text)
      const [data] = await once(client, 'data', { signal: AbortSignal.timeout(ANSWER_MS) })
      return String(data)
    },
    [Symbol.dispose]: () => void client.destroy(),
  }
}

/** A UDP socket that sends from one and the same port for as long as it lives. */
export function openUdp(netns: string | undefined, family: Family = 4): UdpSocket {
  const client = createSocket(`udp${family}`)
  client.bind({ fd: socketIn(netns, 'udp', family) })
  return client
}

/** Sends until an answer comes; UDP may lose some. */
export async function askFrom(
  client: UdpSocket,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<string | undefined> {
  const resend = setInterval(() => client.send('?', port, address, () => {}), 50)
  try {
    client.send('?', port, address, () => {})
    const [message] = await once(client, 'message', { signal: AbortSignal.timeout(timeoutMs) })
    return String(message)
  } catch {
    return undefined
  } finally {
    clearInterval(resend)
  }
}

function attempt(netns: string | undefined, protocol: Protocol, address: string, port: number, timeoutMs: number) {
  return protocol === 'tcp' ? attemptTcp(netns, address, port, timeoutMs) : attemptUdp(netns, address, port, timeoutMs)
}

async function attemptTcp(
  netns: string | undefined,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<string | undefined> {
  const client = new Socket({ fd: socketIn(netns, 'tcp', addressFamily(address)), readable: true, writable: true })
  try {
    client.connect({ host: address, port })
    const [data] = await once(client, 'data', { signal: AbortSignal.timeout(timeoutMs) })
    return String(data)
  } catch {
    return undefined
  } finally {
    client.on('error', () => {}).destroy()
  }
}

async function attemptUdp(
  netns: string | undefined,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<string | undefined> {
  const client = openUdp(netns, addressFamily(address))
  client.on('error', () => {})
  try {
    return await askFrom(client, address, port, timeoutMs)
  } finally {
    client.close()
  }
}

async function serveTcp(netns: string | undefined, port: number, text: string): Promise<Server> {
  const heard = new Set<string>()
  const server = createServer((client) => {
    const address = plain(client.remoteAddress ?? '')
    heard.add(address)
    client.on('error', () => {})
    client.end(`${text} ${address}`)
  })
  // Without a host name the socket is made before listen() returns, so inside the namespace.
  within(netns, () => server.listen(port))
  if (!server.listening) await once(server, 'listening')
  return { heard, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) }
}

async function serveUdp(netns: string | undefined, port: number, text: string): Promise<Server> {
  const server = createSocket('udp6')
  const fd = socketIn(netns, 'udp', 6)
  bindAny(fd, port)
  const heard = new Set<string>()
  server.on('message', (_message, client) => {
    heard.add(plain(client.address))
    server.send(`${text} ${plain(client.address)}`, client.port, client.address, () => {})
  })
  const listening = once(server, 'listening')
  server.bind({ fd })
  await listening
  return { heard, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) }
}

function bindAny(fd: number, port: number): void {
  const address = Buffer.alloc(28)
  address.writeUInt16LE(AF[6])
  address.writeUInt16BE(port, 2)
  check('bind', bind(fd, address, address.length))
}

/** A descriptor that stays in that namespace. */
export function socketIn(netns: string | undefined, protocol: Protocol, family: Family = 4): number {
  const type = protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM
  return within(netns, () => check('socket', socket(AF[family], type | SOCK_FLAGS, 0)))
}

/** As a socket of both families spells one of IPv4. */
function plain(address: string): string {
  return address.replace('::ffff:', '')
}

function within<T>(netns: string | undefined, fn: () => T): T {
  return netns === undefined ? fn() : inNetns(netns, fn)
}
