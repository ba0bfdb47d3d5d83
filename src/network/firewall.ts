import { failpoint } from '../lib/failpoint.ts'
import type { Family } from '../lib/ip-address.ts'
import type { Logger } from '../lib/log.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import type { NetworkSpec } from '../model/network.ts'
import { BridgeRules } from './bridge-rules.ts'
import type { ChangePortsInput, ReplacePortsInput } from './firewall-ops.ts'
import type { BridgeServices } from './iptables.ts'
import type { PortRule } from './port-table.ts'
import { Turns } from './turns.ts'

/** Names a table that is none of ours: bridges begin with a letter or a digit. */
const NO_BRIDGE = '.try'

/** What is published, by what it is published as: no two may be the same. */
type PublishedPorts = ReadonlyMap<string, PortRule>

/**
 * Keeps the rules as its networks and ports say. Callers change what is wanted, then wait for `sync`: those who come
 * while a change is under way share the next one. A change of ports is one message to the kernel.
 */
export class Firewall {
  readonly #thread: KernelThread
  readonly #log: Logger
  readonly #rules: BridgeRules
  readonly #networks = new Map<string, NetworkSpec>()
  readonly #retired = new Map<string, NetworkSpec>()
  #ports = new Map<string, readonly PortRule[]>()
  /** What was published with which generation of nf_tables; undefined when nothing is known. */
  #published: { readonly ports: PublishedPorts; readonly generation: number } | undefined
  #restored = false
  readonly #turns = new Turns(() => this.#apply())

  constructor(thread: KernelThread, log: Logger) {
    this.#thread = thread
    this.#log = log
    this.#rules = new BridgeRules(thread, log)
  }

  /** Resolves when the bridge's own rules are in force, whatever ports are being changed meanwhile. */
  async enforced(bridge: string): Promise<void> {
    const network = this.#networks.get(bridge)
    if (network === undefined || !this.#rules.cover(network)) await this.sync()
  }

  /** @throws {StatusError} `failed_precondition` if this host's kernel cannot keep the rules of a network with IPv6 */
  async assertIpv6(): Promise<void> {
    await this.#thread.call('network.tryIpv6Table', NO_BRIDGE)
    await this.#rules.assertPossible(6)
  }

  /** What the networks' own rules must know of Services: in force with the next `sync`. */
  knowServices(services: BridgeServices): void {
    this.#rules.knowServices(services)
  }

  hasNetwork(bridge: string): boolean {
    return this.#networks.has(bridge)
  }

  addNetwork(network: NetworkSpec): void {
    this.#networks.set(network.bridge, network)
    this.#retired.delete(network.bridge)
  }

  removeNetwork(network: NetworkSpec): void {
    this.#networks.delete(network.bridge)
    this.#retired.set(network.bridge, network)
  }

  /** The ports of one sandbox; empty: it has none. */
  setPorts(key: string, rules: readonly PortRule[]): void {
    if (rules.length > 0) this.#ports.set(key, rules)
    else this.#ports.delete(key)
  }

  ports(key: string): readonly PortRule[] {
    return this.#ports.get(key) ?? []
  }

  /** Replaces all ports, and trusts nothing about what is in force. */
  reset(ports: ReadonlyMap<string, readonly PortRule[]>): void {
    this.#ports = new Map(ports)
    this.#published = undefined
    this.#rules.forget()
    this.#restored = true
  }

  /**
   * Resolves when all that was wanted at the call is in force. Before `reset` not all ports are known: what the daemon
   * before has put in force stays, or they would be closed for a moment.
   */
  sync(): Promise<void> {
    if (!this.#restored) return Promise.resolve()
    return this.#turns.run()
  }

  /** What is not in force, or is and should not be, in words. */
  inspect(): Promise<string[]> {
    return this.#turns.between(async () => [
      ...(await this.#rules.inspect(this.#rules.networks())),
      ...(await this.#inspectPorts()),
    ])
  }

  /**
   * Somebody has changed something: what is ours is built anew if it is not as it was made. Costs a few questions to the
   * kernel, since on some hosts rules change all the time.
   */
  async verify(): Promise<void> {
    const untouched = await this.#turns.between(
      async () => (await this.#rules.areUntouched()) && (await this.#inspectPorts()).length === 0,
    )
    if (untouched) return
    this.#log.warn('firewall rules were changed by someone else; building them anew')
    await this.mend()
  }

  #inspectPorts(): Promise<string[]> {
    const { ports } = this.#published ?? {}
    const tables = ports === undefined ? [] : tablesWith(this.#rules.networks(), ports)
    return this.#thread.call('network.inspectPorts', { tables })
  }

  /** Builds all anew where it is not as it should be. */
  mend(): Promise<void> {
    this.#published = undefined
    this.#rules.forget()
    return this.sync()
  }

  async #apply(): Promise<void> {
    const networks = new Map(this.#networks)
    const ports = this.#wantedPorts()
    const retired = [...this.#retired.values()]
    // A daemon that was cut off may have left rules of the retired that this one has never built.
    const rulesKnown = retired.length === 0 && this.#rules.coverExactly(networks)
    if (rulesKnown && (await this.#changePorts(ports))) return
    if (!rulesKnown || !(await this.#rulesUntouched())) {
      failpoint('network.rules')
      await this.#rules.build(networks, retired)
    }
    await this.#replacePorts(networks, ports, retired)
    for (const { bridge } of retired) this.#retired.delete(bridge)
  }

  /** False if what is in force is not known well enough. */
  async #changePorts(ports: PublishedPorts): Promise<boolean> {
    const published = this.#published
    if (published === undefined) return false
    const removed = without(published.ports, ports)
    const added = without(ports, published.ports)
    if (removed.length + added.length === 0) return true
    this.#published = undefined
    failpoint('network.rules')
    const input = { generation: published.generation, removed, added } satisfies ChangePortsInput
    const generation = await this.#thread.call<number | undefined>('network.changePorts', input)
    if (generation === undefined) return false
    this.#published = { ports, generation }
    return true
  }

  async #replacePorts(
    networks: ReadonlyMap<string, NetworkSpec>,
    ports: PublishedPorts,
    retired: readonly NetworkSpec[],
  ): Promise<void> {
    this.#published = undefined
    const input: ReplacePortsInput = {
      tables: tablesWith([...networks.values()], ports),
      retired: retired.flatMap(tablesOf),
    }
    failpoint('network.rules')
    this.#published = { ports, generation: await this.#thread.call<number>('network.replacePorts', input) }
  }

  async #rulesUntouched(): Promise<boolean> {
    const untouched = await this.#rules.areUntouched()
    if (!untouched) this.#log.warn('firewall rules were changed by someone else; building them anew')
    return untouched
  }

  /** Of two that are published as the same the first has it. */
  #wantedPorts(): PublishedPorts {
    const wanted = new Map<string, PortRule>()
    for (const port of [...this.#ports.values()].flat()) {
      const key = `${port.bridge} ${port.hostIp}:${port.hostPort}/${port.protocol}`
      if (this.#networks.has(port.bridge) && !wanted.has(key)) wanted.set(key, port)
    }
    return wanted
  }
}

function tablesWith(networks: readonly NetworkSpec[], ports: PublishedPorts): ReplacePortsInput['tables'] {
  const byBridge = Map.groupBy(ports.values(), ({ bridge }) => bridge)
  return networks.flatMap(tablesOf).map((table) => ({ ...table, ports: byBridge.get(table.bridge) ?? [] }))
}

function tablesOf({ bridge, ipv6 }: NetworkSpec) {
  const families: readonly Family[] = ipv6 === undefined ? [4] : [4, 6]
  return families.map((family) => ({ bridge, family }))
}

/** What is only in the first, or leads somewhere else there. */
function without(ports: PublishedPorts, others: PublishedPorts): PortRule[] {
  return [...ports].flatMap(([key, port]) => {
    const other = others.get(key)
    return other?.address === port.address && other.containerPort === port.containerPort ? [] : [port]
  })
}
