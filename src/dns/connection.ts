import { connect, type Socket } from 'node:net'
import { StatusError } from '../lib/errors.ts'
import type { Greeting, Reloaded } from './control.ts'
import type { Failures } from './server.ts'

const ANSWER_MS = 5000

/** To a name server's process. That it ends is how the process's end is noticed. */
export class ControlConnection implements Disposable {
  /** Resolves when the process has ended, or this is disposed. */
  readonly ended: Promise<void>
  readonly #socket: Socket
  #version = ''
  #text = ''
  #waiting: ((line: string | undefined) => void) | undefined

  /** Undefined if nobody listens. */
  static async open(path: string): Promise<ControlConnection | undefined> {
    const connection = new ControlConnection(path)
    const greeting = await connection.#nextLine()
    if (greeting === undefined) return undefined
    connection.#version = (JSON.parse(greeting) as Greeting).version
    return connection
  }

  private constructor(path: string) {
    const socket = connect(path).setEncoding('utf8')
    this.#socket = socket
    this.ended = new Promise((resolve) => {
      socket.on('error', () => {})
      socket.on('data', (chunk: string) => this.#take(chunk))
      socket.on('close', () => {
        this.#waiting?.(undefined)
        resolve()
      })
    })
  }

  get version(): string {
    return this.#version
  }

  /** Resolves when the server answers from the records file as it is now. One call at a time. */
  async reload(): Promise<Failures> {
    this.#socket.write('"reload"\n')
    const answer = await this.#nextLine()
    const result: Reloaded = answer === undefined ? { error: 'its process does not answer' } : JSON.parse(answer)
    if ('failures' in result) return result.failures
    throw new StatusError('unavailable', `The name server cannot read its records: ${result.error}`)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  /** Undefined when the other side has ended or takes too long, which ends this. */
  #nextLine(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timeout = setTimeout(() => this.#socket.destroy(), ANSWER_MS)
      this.#waiting = (line) => {
        clearTimeout(timeout)
        this.#waiting = undefined
        resolve(line)
      }
      if (this.#socket.destroyed) this.#waiting(undefined)
    })
  }

  #take(chunk: string): void {
    this.#text += chunk
    const end = this.#text.indexOf('\n')
    if (end < 0) return
    const line = this.#text.slice(0, end)
    this.#text = this.#text.slice(end + 1)
    this.#waiting?.(line)
  }
}
