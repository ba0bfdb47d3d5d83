import { once } from 'node:events'
import { Socket } from 'node:net'
import { encodeName } from '../../src/dns/message.ts'
import { FrameReader, frame } from '../../src/dns/tcp-frames.ts'
import { openUdp, socketIn } from './sockets.ts'

const TYPES = { A: 1, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, ANY: 255 } as const

export interface DnsAnswer {
  readonly rcode: number
  readonly truncated: boolean
  readonly authoritative: boolean
  /** IPv4 addresses, and the data of other records in hex. */
  readonly answers: readonly string[]
  readonly ttls: readonly number[]
  readonly bytes: number
}

export interface Asking {
  readonly type?: keyof typeof TYPES
  readonly transport?: 'udp' | 'tcp'
  /** Of an OPT record. */
  readonly ednsBytes?: number
  readonly timeoutMs?: number
  /** Instead of a random one. */
  readonly message?: Buffer
}

/** Asks once from a network namespace (undefined: our own), as the kernel's address there. Undefined: no answer. */
export async function askDns(
  netns: string | undefined,
  server: string,
  name: string,
  { type = 'A', transport = 'udp', ednsBytes, timeoutMs = 10_000, message }: Asking = {},
): Promise<DnsAnswer | undefined> {
  const query = message ?? encodeQuery(name, TYPES[type], ednsBytes)
  const response = await (transport === 'udp' ? byUdp : byTcp)(netns, server, query, timeoutMs)
  if (response === undefined) return undefined
  if (response.readUInt16BE(0) !== query.readUInt16BE(0)) throw new Error('The answer has another id')
  return decode(response)
}

/** Its data, or why there is none. */
export async function resolve(
  netns: string | undefined,
  server: string,
  name: string,
  asking?: Asking,
): Promise<string> {
  const answer = await askDns(netns, server, name, asking)
  if (answer === undefined) return 'silence'
  if (answer.rcode !== 0) return ['', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'][answer.rcode] ?? 'unknown'
  return answer.answers.toSorted().join(' ') || 'NODATA'
}

export function encodeQuery(name: string, type: number, ednsBytes?: number): Buffer {
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, ednsBytes === undefined ? 0 : 1])
  header.writeUInt16BE(Math.floor(Math.random() * 0x10000))
  const opt =
    ednsBytes === undefined ? [] : [Buffer.from([0, 0, 41, ednsBytes >> 8, ednsBytes & 255, 0, 0, 0, 0, 0, 0])]
  return Buffer.concat([header, encodeName(name), Buffer.from([type >> 8, type & 255, 0, 1]), ...opt])
}

async function byUdp(netns: string | undefined, server: string, query: Buffer, timeoutMs: number) {
  const client = openUdp(netns)
  client.on('error', () => {})
  try {
    client.send(query, 53, server, () => {})
    const [response] = await once(client, 'message', { signal: AbortSignal.timeout(timeoutMs) })
    return response as Buffer
  } catch {
    return undefined
  } finally {
    client.close()
  }
}

async function byTcp(netns: string | undefined, server: string, query: Buffer, timeoutMs: number) {
  const client = new Socket({ fd: socketIn(netns, 'tcp'), readable: true, writable: true })
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    client.connect({ host: server, port: 53 })
    await once(client, 'connect', { signal })
    client.write(frame(query))
    const frames = new FrameReader()
    for (;;) {
      frames.add((await once(client, 'data', { signal }))[0])
      const message = frames.take()
      if (message !== undefined) return message
    }
  } catch {
    return undefined
  } finally {
    client.on('error', () => {}).destroy()
  }
}

function decode(message: Buffer): DnsAnswer {
  const flags = message.readUInt16BE(2)
  const answers: string[] = []
  const ttls: number[] = []
  let at = 12
  for (let left = message.readUInt16BE(4); left > 0; left--) at = skipName(message, at) + 4
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    at = skipName(message, at)
    const data = message.subarray(at + 10, at + 10 + message.readUInt16BE(at + 8))
    answers.push(message.readUInt16BE(at) === TYPES.A ? [...data].join('.') : data.toString('hex'))
    ttls.push(message.readUInt32BE(at + 4))
    at += 10 + data.length
  }
  const flag = (bit: number) => (flags & bit) !== 0
  return { rcode: flags & 15, truncated: flag(0x200), authoritative: flag(0x400), answers, ttls, bytes: message.length }
}

function skipName(message: Buffer, at: number): number {
  const length = message[at]!
  if (length >= 0xc0) return at + 2
  return length === 0 ? at + 1 : skipName(message, at + 1 + length)
}
