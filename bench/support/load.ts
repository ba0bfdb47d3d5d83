import { createConnection, type Socket } from 'node:net'

const CONNECTIONS = 32

/** A request of the load, without a body. */
export interface LoadRequest {
  readonly path: string
}

/**
 * Sends requests at a fixed rate, whatever becomes of the ones before, over kept connections to a unix socket. Resolves
 * with the time of each in ms, from when it was due to the last byte of its answer: a server that falls behind is not
 * waited for. Plain sockets, because a client costs as much as the server.
 */
export async function load(socketPath: string, perSecond: number, requests: readonly LoadRequest[]): Promise<number[]> {
  const times: number[] = []
  const begun = performance.now()
  let next = 0
  const work = async () => {
    const connection = new Connection(socketPath)
    while (next < requests.length) {
      const index = next++
      const due = begun + (index * 1000) / perSecond
      const wait = due - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      await connection.get(requests[index]!.path)
      times.push(performance.now() - due)
    }
    connection.end()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  return times
}

class Connection {
  readonly #socket: Socket
  #answered: PromiseWithResolvers<void> | undefined
  /** Bytes of the answer that are still to come; undefined while its head is. */
  #missing: number | undefined
  #head = ''

  constructor(path: string) {
    this.#socket = createConnection(path)
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('close', () => this.#answered?.reject(new Error('the daemon hung up')))
    this.#socket.on('error', (error) => this.#answered?.reject(error))
  }

  get(path: string): Promise<void> {
    this.#answered = Promise.withResolvers()
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
    return this.#answered.promise
  }

  end(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    let length = chunk.length
    if (this.#missing === undefined) {
      const end = chunk.indexOf('\r\n\r\n')
      this.#head += chunk.toString('latin1', 0, end < 0 ? chunk.length : end)
      if (end < 0) return
      if (!this.#head.startsWith('HTTP/1.1 200')) this.#answered?.reject(new Error(this.#head))
      this.#missing = Number(/^content-length: (\d+)/im.exec(this.#head)?.[1])
      this.#head = ''
      length -= end + 4
    }
    this.#missing -= length
    if (this.#missing > 0) return
    this.#missing = undefined
    this.#answered?.resolve()
  }
}
