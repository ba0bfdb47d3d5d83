import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Digest } from '../../src/model/digest.ts'
import type { ImageLayout } from './image-layout.ts'

const run = promisify(execFile)

/**
 * Debian's docker-registry on loopback behind a proxy that sees every request and can spoil the answers. Images are
 * pushed around the proxy and pulled through it.
 */
export class ImageRegistry implements AsyncDisposable {
  /** `127.0.0.1:port`, of the proxy. */
  readonly host: string
  /** Where the registry keeps its files. */
  readonly dir: string
  /** `METHOD path` of what was asked for, with the first byte if not 0. */
  readonly requests: string[] = []
  /** Asked about every blob; cuts the connection after that many bytes. */
  cutAfter: (digest: Digest) => number | undefined = () => undefined
  /** Awaited before a blob is answered. */
  hold: (digest: Digest) => Promise<void> | undefined = () => undefined

  readonly #resources: AsyncDisposableStack
  readonly #backend: string

  private constructor(resources: AsyncDisposableStack, dir: string, backend: string, proxy: Server) {
    this.#resources = resources
    this.#backend = backend
    this.dir = dir
    this.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
    proxy.on('request', (incoming, response) => void this.#forward(incoming, response))
  }

  static async start(): Promise<ImageRegistry> {
    await using resources = new AsyncDisposableStack()
    const dir = await mkdtemp('/var/tmp/condenser-registry-')
    resources.defer(() => rm(dir, { recursive: true, force: true }))
    const backend = await startBackend(resources, dir)
    const proxy = createServer()
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    resources.defer(() => {
      proxy.close()
      proxy.closeAllConnections()
    })
    return new ImageRegistry(resources.move(), dir, backend, proxy)
  }

  /** Pushes an image of a layout, all platforms of it; `name` is repository:tag. */
  async push(layout: ImageLayout, name: string, source = ''): Promise<string> {
    const policy = join(this.dir, 'policy.json')
    await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
    const from = `oci:${layout.dir}${source === '' ? '' : `:${source}`}`
    const flags = ['--policy', policy, 'copy', '--all', '--dest-tls-verify=false', '--preserve-digests']
    await run('skopeo', [...flags, from, `docker://${this.#backend}/${name}`])
    return `${this.host}/${name}`
  }

  /** Where the registry has the blob. */
  blobFile(digest: Digest): string {
    const hex = digest.slice('sha256:'.length)
    return join(this.dir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data')
  }

  /** How often the blob was asked for since `requests` was last emptied. */
  downloads(digest?: Digest): number {
    return this.requests.filter((line) => line.startsWith('GET') && line.includes(`/blobs/${digest ?? 'sha256:'}`))
      .length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }

  async #forward(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming
    const from = /^bytes=([1-9]\d*)-/.exec(headers.range ?? '')?.[1]
    this.requests.push(`${method} ${url}${from === undefined ? '' : ` from ${from}`}`)
    const digest = /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(url)?.[1] as Digest | undefined
    if (digest !== undefined) await this.hold(digest)
    const [hostname, port] = this.#backend.split(':')
    const upstream = request({ hostname, port, path: url, method, headers: { ...headers, host: this.host } })
    upstream.on('error', () => response.destroy())
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      const cut = digest === undefined ? undefined : this.cutAfter(digest)
      if (cut === undefined) answer.pipe(response)
      else void cutShort(answer, response, cut)
    })
    incoming.pipe(upstream)
  }
}

async function cutShort(answer: IncomingMessage, response: ServerResponse, bytes: number): Promise<void> {
  let left = bytes
  for await (const chunk of answer) {
    const piece = chunk.subarray(0, left)
    left -= piece.length
    await new Promise<void>((resolve) => response.write(piece, () => resolve()))
    if (left === 0) break
  }
  response.destroy()
}

async function startBackend(resources: AsyncDisposableStack, dir: string): Promise<string> {
  const host = `127.0.0.1:${await freePort()}`
  const config = join(dir, 'config.yml')
  await writeFile(
    config,
    JSON.stringify({ version: 0.1, storage: { filesystem: { rootdirectory: dir } }, http: { addr: host } }),
  )
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  resources.defer(async () => {
    child.kill()
    await ended
  })
  for await (const line of createInterface(child.stderr)) if (line.includes('listening on')) break
  child.stderr.resume()
  return host
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
