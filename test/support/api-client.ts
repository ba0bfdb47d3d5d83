import { request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The parsed envelope; throws if the body is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any
}

/** A client of the daemon's unix socket, as plain as curl. */
export function apiClient(socketPath: string) {
  async function send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const payload =
      body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    // Node sends a DELETE's body without a length, which is then no body.
    const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const outgoing = request(
      { socketPath, method, path, headers: { ...length, ...headers }, agent: false },
      async (response) => {
        try {
          const chunks: Buffer[] = []
          for await (const chunk of response) chunks.push(chunk)
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            get json() {
              return JSON.parse(text)
            },
          })
        } catch (error) {
          reject(error)
        }
      },
    )
    outgoing.on('error', reject)
    outgoing.end(payload)
    return await promise
  }
  return {
    send,
    get: (path: string) => send('GET', path),
    post: (path: string, body?: unknown, headers?: Record<string, string>) => send('POST', path, body, headers),
    delete: (path: string, body?: unknown) => send('DELETE', path, body),
  }
}

export type ApiClient = ReturnType<typeof apiClient>
