import { openSync, readSync } from 'node:fs'
import { Cache } from './cache.ts'
import { askByTcp, askByUdp } from './exchange.ts'
import { type Query, RCODE, type Response } from './message.ts'
import { readdress, replaceEdnsSize, reply, upstreamQuery } from './reply.ts'

/** Clients try again after 5 s (resolv.conf(5)). */
const TRY_MS = 2000
const ROUNDS = 2
const GIVE_UP_MS = 8000
/** Questions under way: each has a socket. */
const UNDERWAY_LIMIT = 512
const CACHE_BYTES = 2 * 2 ** 20

export interface ForwarderOptions {
  /** The same array for as long as it has not changed. */
  readonly servers: () => readonly string[]
  /** Whether this program itself answers at the address: asking it would go round. */
  readonly isOwn: (address: string) => boolean
}

/** Passes questions on to the host's servers, and keeps the answers. The same question is asked once at a time. */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #cache = new Cache(CACHE_BYTES)
  readonly #underway = new Map<string, Promise<Response | undefined>>()
  #known: readonly string[] = []
  /** What answers comes first. */
  #order: string[] = []

  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  async answer(query: Query): Promise<Buffer> {
    this.#refresh()
    const kept = this.#cache.get(query.key)
    if (kept !== undefined) return readdress(query, kept)
    const response = await this.#ask(query)
    return response === undefined ? reply(query, RCODE.serverFailure) : readdress(query, response.message)
  }

  /** Other servers may say something else. */
  #refresh(): void {
    const servers = this.#options.servers()
    if (servers === this.#known) return
    this.#known = servers
    this.#order = [...servers]
    this.#cache.clear()
  }

  #ask(query: Query): Promise<Response | undefined> {
    const same = this.#underway.get(query.key)
    if (same !== undefined) return same
    if (this.#underway.size >= UNDERWAY_LIMIT) return Promise.resolve(undefined)
    const servers = this.#known
    const asked = this.#askServers(query).then((response) => {
      this.#underway.delete(query.key)
      if (response !== undefined && servers === this.#known) this.#cache.put(query.key, response)
      return response
    })
    this.#underway.set(query.key, asked)
    return asked
  }

  /** One after the other until one knows; what a server cannot or will not say, another may. */
  async #askServers(query: Query): Promise<Response | undefined> {
    const giveUpAt = performance.now() + GIVE_UP_MS
    let refusal: Response | undefined
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of [...this.#order]) {
        if (this.#options.isOwn(server)) continue
        const timeoutMs = Math.min(TRY_MS, giveUpAt - performance.now())
        if (timeoutMs <= 0) return refusal
        const response = await askServer(server, query, timeoutMs)
        if (response === undefined) this.#putLast(server)
        else if (response.rcode === RCODE.ok || response.rcode === RCODE.noSuchName) return response
        else refusal = response
      }
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  #putLast(server: string): void {
    const at = this.#order.indexOf(server)
    if (at >= 0) this.#order.push(...this.#order.splice(at, 1))
  }
}

async function askServer(server: string, query: Query, timeoutMs: number): Promise<Response | undefined> {
  const sent = upstreamQuery(query, randomId())
  const response = await askByUdp(server, sent, timeoutMs)
  const whole = response?.truncated ? ((await askByTcp(server, sent, timeoutMs)) ?? response) : response
  if (whole !== undefined) replaceEdnsSize(whole)
  return whole
}

let randomSource: number | undefined

/** Not from node:crypto, which takes more memory than all of this program. */
function randomId(): number {
  randomSource ??= openSync('/dev/urandom', 'r')
  const bytes = Buffer.alloc(2)
  readSync(randomSource, bytes)
  return bytes.readUInt16BE()
}
