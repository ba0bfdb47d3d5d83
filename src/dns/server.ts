import { messageOf } from '../lib/errors.ts'
import { Forwarder } from './forwarder.ts'
import { HostServers } from './host-servers.ts'
import { Listener } from './listener.ts'
import { type DnsRecords, nameTables } from './records.ts'
import { Requests } from './requests.ts'
import { zoneTable } from './zone-table.ts'

const RETIRE_MS = 10_000

/** Gateways whose sockets could not be opened, and why. */
export type Failures = Readonly<Record<string, string>>

/** Answers at the gateways of all networks that the records name. */
export class Server {
  readonly #requests: Requests
  /** By network. */
  readonly #listeners = new Map<string, Listener>()

  constructor() {
    const host = new HostServers()
    const ownGateways = () => [...this.#listeners.values()].map(({ gateway }) => gateway)
    this.#requests = new Requests(
      new Forwarder({ servers: () => host.current(), isOwn: (address) => ownGateways().includes(address) }),
    )
  }

  /** Makes these the records, and opens and closes sockets accordingly. One call at a time. @throws for what are no records */
  async apply(records: DnsRecords): Promise<Failures> {
    const tables = nameTables(records)
    const gateways = new Map(tables.map(({ network, gateway }) => [network, gateway]))
    this.#requests.useTables(tables, records.zone && zoneTable(records.zone))
    for (const [network, listener] of this.#listeners) {
      if (gateways.get(network) === listener.gateway) continue
      listener.close()
      this.#listeners.delete(network)
    }
    const failures: Record<string, string> = {}
    for (const [network, gateway] of gateways) {
      if (this.#listeners.has(network)) continue
      try {
        this.#listeners.set(network, await Listener.open(network, gateway, this.#requests))
      } catch (error) {
        failures[gateway] = messageOf(error)
      }
    }
    return failures
  }

  /** Another process has the same sockets by now: what is under way here is answered first. */
  async retire(): Promise<void> {
    await Promise.race([this.#requests.idle(), new Promise((resolve) => setTimeout(resolve, RETIRE_MS))])
    // The last answer goes out in this turn.
    await new Promise(setImmediate)
    for (const listener of this.#listeners.values()) listener.close()
  }
}
