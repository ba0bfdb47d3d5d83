import { StatusError } from '../lib/errors.ts'
import type { Family } from '../lib/ip-address.ts'
import type { Logger } from '../lib/log.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import type { NetworkSpec } from '../model/network.ts'
import { type BridgeServices, bridgeChains } from './iptables.ts'
import { type Chain, renderRebuild } from './iptables-text.ts'
import { IPTABLES, restoreRules, saveRules } from './run-iptables.ts'

/** Also where an iptables prints rules in words that are not ours, building comes to its end. */
const ROUNDS = 4

/**
 * The networks' own rules: in iptables, where they stand among the host's. Building them takes three processes, and three
 * more if there are any of IPv6; finding them as they should be takes one each.
 */
export class BridgeRules {
  readonly #thread: KernelThread
  readonly #log: Logger
  /** By bridge. */
  #inForce: ReadonlyMap<string, NetworkSpec> = new Map()
  #handles: readonly string[] = []
  #services: BridgeServices | undefined
  /** Found out at the first rule that needs it. */
  #lacksBpf = false

  constructor(thread: KernelThread, log: Logger) {
    this.#thread = thread
    this.#log = log
  }

  /** Whether the network has its rules, as far as is known. */
  cover(network: NetworkSpec): boolean {
    return this.#inForce.get(network.bridge) === network
  }

  /** Whether these networks and no others have their rules, as far as is known. */
  coverExactly(networks: ReadonlyMap<string, NetworkSpec>): boolean {
    return networks.size === this.#inForce.size && [...networks.values()].every((network) => this.cover(network))
  }

  /** Those whose rules are in force, as far as is known. */
  networks(): readonly NetworkSpec[] {
    return [...this.#inForce.values()]
  }

  /** Asks the kernel whether the rules are still the very ones that were built; it cannot tell with iptables-legacy. */
  async areUntouched(): Promise<boolean> {
    const handles = await this.#readHandles(this.#inForce)
    return handles.join() === this.#handles.join()
  }

  /** What the rules must know of Services, from here on. */
  knowServices({ keepsClients, ...network }: BridgeServices): void {
    const services = { ...network, keepsClients: keepsClients && !this.#lacksBpf }
    if (this.#services?.keepsClients !== services.keepsClients) this.forget()
    this.#services = services
  }

  /** Trusts nothing about what is in force from here on. */
  forget(): void {
    this.#inForce = new Map()
  }

  /** These networks get their rules, from whatever is there, and the retired ones lose theirs. */
  async build(networks: ReadonlyMap<string, NetworkSpec>, retired: readonly NetworkSpec[]): Promise<void> {
    this.forget()
    try {
      this.#handles = await this.#settle(networks, retired)
    } catch (error) {
      if (this.#services?.keepsClients !== true || !(error instanceof StatusError)) throw error
      this.#lacksBpf = true
      this.knowServices(this.#services)
      this.#handles = await this.#settle(networks, retired)
      this.#log.warn('no match bpf in iptables: through a Service containers are seen as their gateway', { error })
    }
    this.#inForce = networks
  }

  /**
   * Rebuilds until nothing is to be done, and returns the handles of what was found to be right. They are read before
   * that: rules that somebody has removed in between are then not taken for those that were built.
   */
  async #settle(networks: ReadonlyMap<string, NetworkSpec>, retired: readonly NetworkSpec[]): Promise<string[]> {
    for (let round = 1; ; round++) {
      const handles = await this.#readHandles(networks)
      const changed = await this.#rebuild([...networks.values()], retired)
      if (!changed) return handles
      if (round === ROUNDS) return this.#readHandles(networks)
    }
  }

  /** What of these networks' rules is not in force, or is and should not be, in words. */
  async inspect(networks: readonly NetworkSpec[]): Promise<string[]> {
    const chains = this.#chainsOf(networks)
    const faults: string[] = []
    for (const family of [4, 6] as const) {
      const wanted = chains.filter((chain) => chain.family === family)
      if (wanted.length === 0) continue
      const text = renderRebuild(wanted, [], await saveRules(this.#thread, family))
      const changes = text.split('\n').filter((line) => /^(-[AID]|:) ?/.test(line))
      if (changes.length > 0) faults.push(`${IPTABLES[family]} lacks rules of ours: ${changes.slice(0, 3).join('; ')}`)
    }
    return faults
  }

  /** Whether anything was to be done. */
  async #rebuild(networks: readonly NetworkSpec[], retired: readonly NetworkSpec[]): Promise<boolean> {
    let changed = false
    const [wanted, old] = [this.#chainsOf(networks), this.#chainsOf(retired)]
    for (const family of [4, 6] as const) {
      const ours = (chains: readonly Chain[]) => chains.filter((chain) => chain.family === family)
      if (ours([...wanted, ...old]).length === 0) continue
      const text = renderRebuild(ours(wanted), ours(old), await saveRules(this.#thread, family))
      if (text === '') continue
      await restoreRules(this.#thread, family, text)
      changed = true
    }
    return changed
  }

  /** @throws {StatusError} if the host cannot have rules of the family */
  async assertPossible(family: Family): Promise<void> {
    await saveRules(this.#thread, family)
  }

  #readHandles(networks: ReadonlyMap<string, NetworkSpec>): Promise<string[]> {
    return this.#thread.call('network.ruleHandles', this.#chainsOf([...networks.values()]))
  }

  #chainsOf(networks: readonly NetworkSpec[]): Chain[] {
    return networks.flatMap((network) => bridgeChains(network, this.#services))
  }
}
