import { once } from 'node:events'
import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Digest } from '../../src/model/digest.ts'
import type { TestRegistry } from './registry.ts'

/** Stands before a registry, sees every request and can spoil what is answered about blobs. */
export interface RegistryProxy extends AsyncDisposable {
  /** `127.0.0.1:port`, as in image references. */
  readonly host: string
  /** `METHOD path`, and ` from N` if not from the first byte. May be emptied. */
  readonly requests: string[]
  /** How often this blob, or any, was asked for since `requests` was last emptied. */
  downloads(digest?: Digest): number
  /** Called before a blob is answered. */
  onBlob: (digest: Digest) => void
  /** The connection is cut after that many bytes of the body. */
  cutAfter: (digest: Digest) => number | undefined
  /** The connection of an upload is cut after that many bytes of its body; asked once for each request with one. */
  cutUploadAfter: (request: string) => number | undefined
  /** Sent instead of the blob. */
  forge: (digest: Digest) => Buffer | undefined
  /** Back to an honest proxy that has seen nothing. */
  reset(): void
}

export async function startRegistryProxy(registry: TestRegistry): Promise<RegistryProxy> {
  const server = createServer((incoming, response) => void forward(proxy, registry, incoming, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const honest = {
    onBlob: () => {},
    cutAfter: () => undefined,
    cutUploadAfter: () => undefined,
    forge: () => undefined,
  }
  const proxy: RegistryProxy = {
    ...honest,
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    downloads: (digest = 'sha256:' as Digest) =>
      proxy.requests.filter((line) => line.startsWith('GET') && line.includes(`/blobs/${digest}`)).length,
    reset() {
      proxy.requests.length = 0
      Object.assign(proxy, honest)
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
  return proxy
}

async function forward(
  proxy: RegistryProxy,
  registry: TestRegistry,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = incoming
  const from = /^bytes=([1-9]\d*)-/.exec(headers.range ?? '')?.[1]
  const range = from ?? /^(\d+)-/.exec(headers['content-range'] ?? '')?.[1]
  proxy.requests.push(`${method} ${url}${range === undefined ? '' : ` from ${range}`}`)
  const digest = /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(url)?.[1] as Digest | undefined
  if (digest !== undefined) proxy.onBlob(digest)
  const forged = digest === undefined ? undefined : proxy.forge(digest)
  if (forged !== undefined) {
    response.writeHead(200, { 'content-length': forged.length }).end(forged)
    return
  }
  const upstream = request(new URL(url, registry.url), { method, headers: { ...headers, host: proxy.host } })
  upstream.on('error', () => response.destroy())
  upstream.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    const cut = digest === undefined ? undefined : proxy.cutAfter(digest)
    if (cut === undefined) answer.pipe(response)
    else void cutShort(answer, response, cut)
  })
  const cut = method === 'PUT' || method === 'PATCH' ? proxy.cutUploadAfter(`${method} ${url}`) : undefined
  if (cut === undefined) incoming.pipe(upstream)
  else await cutUpload(incoming, upstream, cut)
}

async function cutUpload(incoming: IncomingMessage, upstream: ClientRequest, bytes: number): Promise<void> {
  let left = bytes
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    const piece = chunk.subarray(0, left)
    left -= piece.length
    await new Promise((resolve) => upstream.write(piece, resolve))
    if (left === 0) break
  }
  upstream.destroy()
  incoming.socket.destroy()
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
