/**
 * Raind's public CLI (v0.1.3), as far as a daemon can tell: its TLS, the bytes of its requests, the structs that it
 * decodes answers into, what it makes of them, and how long it waits in between (contract, sections 3, 5.3 and 10).
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { decodeGo, encodeGo, type GoType } from './go-json.ts'
import { PublicTerminal, upgradeRequest } from './public-terminal.ts'

const PORT = 7755
const struct = (fields: Readonly<Record<string, GoType>>): GoType => ({ struct: fields })
const sliceOf = (slice: GoType): GoType => ({ slice })

const CONTAINER = struct({
  containerId: 'string',
  name: 'string',
  podId: 'string',
  state: 'string',
  pid: 'int',
  imageRepository: 'string',
  imageReference: 'string',
  command: sliceOf('string'),
  address: 'string',
  forwards: sliceOf(struct({ source: 'int', destination: 'int', protocol: 'string' })),
  creatingAt: 'time.Time',
  createdAt: 'time.Time',
  statedAt: 'time.Time',
  stoppedAt: 'time.Time',
})
const IMAGE = struct({ repository: 'string', reference: 'string', createdAt: 'time.Time' })
const ID = struct({ id: 'string' })

interface CreateFlags {
  readonly network?: string
  readonly volume?: readonly string[]
  readonly publish?: readonly string[]
  readonly env?: readonly string[]
  readonly tty?: boolean
  readonly name?: string
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What it prints, or the text that it ends with. */
export class PublicCli {
  readonly #tls: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer }

  constructor(certDir: string) {
    const read = (name: string) => readFileSync(join(certDir, name))
    this.#tls = { ca: read('raind.crt'), cert: read('raindClient.crt'), key: read('raindClient.key') }
  }

  async create(image: string, command: readonly string[] = [], flags: CreateFlags = {}): Promise<string> {
    const { network = 'raind0', volume: mount, publish: port, env, tty, name } = flags
    const body = encodeGo({ image, command, port, mount, env, network, tty, name })
    const { id } = await this.#call('POST', '/v1/containers', ID, body)
    return id
  }

  async start(container: string, { tty = false } = {}): Promise<string> {
    return (await this.#call('POST', `/v1/containers/${container}/actions/start`, ID, JSON.stringify({ tty }))).id
  }

  async stop(container: string): Promise<void> {
    await this.#call('POST', `/v1/containers/${container}/actions/stop`, ID)
  }

  async rm(container: string): Promise<void> {
    await this.#call('DELETE', `/v1/containers/${container}/actions/delete`, ID)
  }

  /** `attach` stands for what a terminal does meanwhile. */
  async run(
    image: string,
    command: readonly string[],
    flags: CreateFlags & { readonly rm?: boolean } = {},
    attach: (id: string) => Promise<void> = () => sleep(100),
  ): Promise<string> {
    const id = await this.create(image, command, flags)
    await sleep(100)
    await this.start(id, { tty: flags.tty ?? false })
    if (flags.tty) await sleep(100)
    await attach(id)
    if (flags.rm) {
      await sleep(200)
      await this.rm(id)
    }
    return id
  }

  async exec(container: string, command: readonly string[], { tty = false } = {}): Promise<void> {
    await this.#call('POST', `/v1/containers/${container}/actions/exec`, ID, JSON.stringify({ command, tty }))
  }

  async logs(container: string, line = 100): Promise<string> {
    return await this.#text(`/v1/containers/${container}/log?tail_lines=${line}`)
  }

  /** A row for each container. */
  async ls(): Promise<string[][]> {
    const containers = (await this.#call('GET', '/v1/containers', sliceOf(CONTAINER))) ?? []
    // biome-ignore lint/suspicious/noExplicitAny: decoded as CONTAINER says
    return containers.map((one: any) => {
      const words = (one.command ?? []).join(' ')
      const ports = (one.forwards ?? []).map(
        // biome-ignore lint/suspicious/noExplicitAny: decoded as CONTAINER says
        ({ source, destination, protocol }: any) => `0.0.0.0:${source}->${destination}/${protocol}`,
      )
      const image = `${secondPart(one.imageRepository)}:${one.imageReference}`
      const cut = words.length > 20 ? `${words.slice(0, 20)}…` : words
      return [one.containerId, image, `"${cut}"`, ago(one.createdAt), one.state, ports.join(', '), one.name]
    })
  }

  async pull(image: string, platform: { readonly os?: string; readonly arch?: string } = {}): Promise<void> {
    const answer = await this.#call(
      'POST',
      '/v1/images',
      struct({ image: 'string', os: 'string', arch: 'string' }),
      encodeGo({ image, ...platform }),
    )
    if (answer.image !== image) throw new Error(`pulled "${answer.image}"`)
  }

  async images(): Promise<string[][]> {
    const images = (await this.#call('GET', '/v1/images', sliceOf(IMAGE))) ?? []
    // biome-ignore lint/suspicious/noExplicitAny: decoded as IMAGE says
    return images.map((one: any) => [one.repository.replace(/^library\//, ''), one.reference, ago(one.createdAt)])
  }

  async rmi(image: string): Promise<void> {
    await this.#call('DELETE', '/v1/images', struct({ image: 'string' }), JSON.stringify({ image }))
  }

  /** The commands of `policy`, and `logs netflow`. */
  readonly policy = {
    add: (body: object) => this.#call('POST', '/v1/policies', ID, JSON.stringify(body)),
    ls: (chain: string) => this.#call('GET', `/v1/policies/${chain}`, 'any'),
    rm: (id: string) => this.#call('DELETE', `/v1/policies/${id}`, 'any'),
    commit: () => this.#call('POST', '/v1/policies/commit', 'any'),
    revert: () => this.#call('POST', '/v1/policies/revert', 'any'),
    nsMode: (mode: string) =>
      this.#call('POST', '/v1/policies/ns/mode', struct({ mode: 'string' }), JSON.stringify({ mode })),
    netflow: () => this.#text('/v1/logs/netflow?tail_lines=100'),
  }

  /** One request, byte for byte as Go's net/http writes it, on a connection of its own. */
  async request(method: string, path: string, body?: string): Promise<HttpAnswer> {
    const socket = this.#connect()
    const length =
      body === undefined
        ? method === 'POST'
          ? ['Content-Length: 0']
          : []
        : [`Content-Length: ${Buffer.byteLength(body)}`]
    const head = [
      `${method} ${path} HTTP/1.1`,
      `Host: localhost:${PORT}`,
      'User-Agent: Go-http-client/1.1',
      ...length,
      ...(body === undefined ? [] : ['Content-Type: application/json']),
      'Accept-Encoding: gzip',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`)
    try {
      return await readAnswer(socket)
    } finally {
      socket.destroy()
    }
  }

  /** `container attach` */
  async attach(container: string): Promise<PublicTerminal> {
    return await this.#terminal(`/v1/containers/${container}/attach`)
  }

  /** `container exec -t`: two requests. */
  async execTerminal(container: string, command: readonly string[]): Promise<PublicTerminal> {
    await this.exec(container, command, { tty: true })
    return await this.#terminal(`/v1/containers/${container}/exec/attach`)
  }

  /** The first message is the size. */
  async #terminal(path: string): Promise<PublicTerminal> {
    const socket = this.#connect()
    const { bytes, isAnswer } = upgradeRequest(path, `localhost:${PORT}`)
    socket.write(bytes)
    let got = Buffer.alloc(0)
    for (;;) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      got = Buffer.concat([got, chunk])
      const end = got.indexOf('\r\n\r\n')
      if (end < 0) continue
      if (isAnswer(got.toString('latin1', 0, end))) {
        const terminal = new PublicTerminal(socket, got.subarray(end + 4))
        terminal.resize(30, 100)
        return terminal
      }
      const refused = parseAnswer(got)
      if (refused === undefined) continue
      socket.destroy()
      throw new Error(`refused: ${refused.status} ${refused.headers['content-type']}: ${refused.body}`)
    }
  }

  #connect(): TLSSocket {
    const options = { host: '127.0.0.1', port: PORT, servername: 'localhost', minVersion: 'TLSv1.3' } as const
    return connect({ ...options, ...this.#tls })
  }

  // biome-ignore lint/suspicious/noExplicitAny: decoded as `data` says
  async #call(method: string, path: string, data: GoType, body?: string): Promise<any> {
    const answer = await this.request(method, path, body)
    failIfNotOk(answer)
    const envelope = decodeGo(struct({ status: 'string', message: 'string', data }), answer.body)
    if (envelope.status !== 'success') throw new Error(`status "${envelope.status}"`)
    return envelope.data
  }

  async #text(path: string): Promise<string> {
    const answer = await this.request('GET', path)
    failIfNotOk(answer)
    return answer.body
  }
}

/** It takes nothing but 200 and 202, and shows the message of the envelope. */
function failIfNotOk({ status, body }: HttpAnswer): void {
  if (status === 200 || status === 202) return
  const { message } = decodeGo(struct({ status: 'string', message: 'string', data: 'any' }), body)
  throw new Error(`unexpected status: ${status}: ${message}`)
}

/** `strings.Split(repository, "/")[1]`, which panics where there is no slash. */
function secondPart(repository: string): string {
  const part = repository.split('/')[1]
  if (part === undefined) throw new Error('panic: runtime error: index out of range [1] with length 1')
  return part
}

function ago(time: Date): string {
  return `${Math.floor((Date.now() - time.getTime()) / 60_000)} minutes ago`
}

async function readAnswer(socket: TLSSocket): Promise<HttpAnswer> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk])
    const answer = parseAnswer(bytes)
    if (answer !== undefined) return answer
  }
  throw new Error(`The connection ended after ${JSON.stringify(bytes.toString())}`)
}

/** Undefined while it is not whole. */
function parseAnswer(bytes: Buffer): HttpAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
  const rest = bytes.subarray(end + 4)
  const body =
    headers['transfer-encoding'] === 'chunked'
      ? dechunk(rest)
      : rest.length >= Number(headers['content-length'])
        ? rest
        : undefined
  return body && { status, headers, body: body.toString() }
}

function dechunk(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (Number.isNaN(size) || bytes.length < line + 2 + size + 2) return undefined
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
