import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { encodeName } from '../../src/dns/message.ts'
import { FrameReader, frame } from '../../src/dns/tcp-frames.ts'

export interface UpstreamQuery {
  readonly id: number
  readonly name: string
  readonly type: number
  readonly transport: 'udp' | 'tcp'
  readonly port: number
  readonly message: Buffer
}

export interface UpstreamAnswer {
  readonly rcode?: number
  /** IPv4 addresses. */
  readonly addresses?: readonly string[]
  readonly ttl?: number
  /** Makes a negative answer one that may be kept. */
  readonly soaMinimum?: number
  readonly truncated?: boolean
  /** Answers these instead of what was asked. */
  readonly asId?: number
  readonly asName?: string
}

/** A DNS server that answers as a test says, and remembers what it was asked. */
export interface Upstream extends AsyncDisposable {
  readonly queries: UpstreamQuery[]
  /** Undefined: no answer. Several: as many datagrams. */
  answer: (query: UpstreamQuery) => UpstreamAnswer | readonly UpstreamAnswer[] | undefined
}

export async function startUpstream(address: string, answer: Upstream['answer'] = () => ({})): Promise<Upstream> {
  const queries: UpstreamQuery[] = []
  const udp = createSocket('udp4')
  const tcp = createServer()
  const upstream: Upstream = {
    queries,
    answer,
    async [Symbol.asyncDispose]() {
      udp.close()
      tcp.close()
    },
  }
  const answersTo = (message: Buffer, transport: 'udp' | 'tcp', port: number): Buffer[] => {
    const query = { ...readQuery(message), transport, port, message }
    queries.push(query)
    return [upstream.answer(query) ?? []].flat().map((answer) => encode(query, answer))
  }
  udp.on('message', (message, { port, address }) => {
    for (const answer of answersTo(message, 'udp', port)) udp.send(answer, port, address)
  })
  tcp.on('connection', (socket) => {
    const frames = new FrameReader()
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      frames.add(chunk)
      for (let message = frames.take(); message !== undefined; message = frames.take()) {
        for (const answer of answersTo(message, 'tcp', socket.remotePort ?? 0)) socket.write(frame(answer))
      }
    })
  })
  udp.bind(53, address)
  tcp.listen(53, address)
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  return upstream
}

function readQuery(message: Buffer): Pick<UpstreamQuery, 'id' | 'name' | 'type'> {
  const labels: string[] = []
  let at = 12
  for (; message[at] !== 0; at += 1 + message[at]!)
    labels.push(message.toString('latin1', at + 1, at + 1 + message[at]!))
  return { id: message.readUInt16BE(0), name: labels.join('.'), type: message.readUInt16BE(at + 1) }
}

function encode(query: UpstreamQuery, answer: UpstreamAnswer): Buffer {
  const { rcode = 0, addresses = [], ttl = 60, soaMinimum, truncated = false, asId, asName } = answer
  const question = Buffer.concat([encodeName(asName ?? query.name), u16(query.type), u16(1)])
  const records = addresses.map((address) => record(0xc00c, 1, ttl, Buffer.from(address.split('.').map(Number))))
  const soa =
    soaMinimum === undefined
      ? []
      : [
          record(
            0xc00c,
            6,
            ttl,
            Buffer.concat([encodeName('ns'), encodeName('root'), ...[1, 2, 3, 4, soaMinimum].map(u32)]),
          ),
        ]
  const flags = 0x8180 | (truncated ? 0x0200 : 0) | rcode
  const counts = [1, records.length, soa.length, 0]
  return Buffer.concat([u16(asId ?? query.id), u16(flags), ...counts.map(u16), question, ...records, ...soa])
}

function record(name: number, type: number, ttl: number, data: Buffer): Buffer {
  return Buffer.concat([u16(name), u16(type), u16(1), u32(ttl), u16(data.length), data])
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
