import { isWithin } from '../model/subnet.ts'
import type { Forwarder } from './forwarder.ts'
import { answerLocally } from './local-answer.ts'
import { isBad, parseQuery, type Query, RCODE } from './message.ts'
import type { NameTable } from './records.ts'
import { errorReply, fit, reply } from './reply.ts'
import { answerFromZone } from './zone-answer.ts'
import type { ZoneTable } from './zone-table.ts'

/** Of one container, under way at a time: one that asks without end leaves room for the others. */
const CLIENT_LIMIT = 64

/** Turns one message that came in on a network's socket into its answer. */
export class Requests {
  readonly #forwarder: Forwarder
  /** By client. */
  readonly #underway = new Map<string, number>()
  readonly #waiting: (() => void)[] = []
  /** By network. */
  #tables: ReadonlyMap<string, NameTable> = new Map()
  #zone: ZoneTable | undefined

  constructor(forwarder: Forwarder) {
    this.#forwarder = forwarder
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#underway.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  useTables(tables: readonly NameTable[], zone: ZoneTable | undefined): void {
    this.#tables = new Map(tables.map((table) => [table.network, table]))
    this.#zone = zone
  }

  /** Whether the client is on that network: nobody else gets an answer. */
  mayAsk(network: string, client: string): boolean {
    const table = this.#tables.get(network)
    return table?.subnets.some((subnet) => isWithin(subnet, client)) ?? false
  }

  /** Undefined: no answer. */
  async answer(
    network: string,
    client: string,
    message: Buffer,
    transport: 'udp' | 'tcp',
  ): Promise<Buffer | undefined> {
    const table = this.#tables.get(network)
    const query = parseQuery(message)
    if (table === undefined || query === undefined) return undefined
    if (isBad(query)) return errorReply(query)
    const inZone = this.#zone && answerFromZone(query, this.#zone, table.gateway)
    const local = inZone ?? answerLocally(query, this.#tables, table, client)
    const response = local ?? (await this.#forward(query, client)) ?? reply(query, RCODE.refused)
    return fit(query, response, transport)
  }

  async #forward(query: Query, client: string): Promise<Buffer | undefined> {
    const count = this.#underway.get(client) ?? 0
    if (count >= CLIENT_LIMIT) return undefined
    this.#underway.set(client, count + 1)
    try {
      return await this.#forwarder.answer(query)
    } finally {
      const left = this.#underway.get(client)! - 1
      if (left > 0) this.#underway.set(client, left)
      else this.#underway.delete(client)
      if (this.#underway.size === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }
}
