import { failpoint } from '../../lib/failpoint.ts'
import type { Logger } from '../../lib/log.ts'
import type { KernelThread } from '../../linux/kernel-thread.ts'
import { type Chain, chainKey, countCommits, countUses, renderChange, renderRebuild } from '../iptables-text.ts'
import { restoreRules, saveRules } from '../run-iptables.ts'
import { Turns } from '../turns.ts'
import { findServiceChains, serviceRenderer } from './service-chains.ts'
import { changedTargets, type StaleFlowsInput } from './service-flows.ts'
import { assertServiceRules, type ServiceNetwork, type ServiceRule } from './service-rule.ts'

interface Wanted {
  readonly chains: readonly Chain[]
  readonly services: readonly ServiceRule[]
}

interface InForce extends Wanted {
  /**
   * Of nf_tables, at which they were so. Undefined if that is not known: others have changed rules at the same time, or
   * rules are iptables-legacy's, which nf_tables does not know.
   */
  readonly generation: number | undefined
}

interface ServiceRulesOptions {
  readonly thread: KernelThread
  readonly log: Logger
  readonly network: ServiceNetwork
}

/**
 * Keeps the rules as the Services say. Callers change what is wanted, then wait for `sync`. A change is one
 * iptables-restore of the chains that differ from what this process has put in force last; where that is not known, or
 * others have changed it, from what iptables-save says.
 */
export class ServiceRules {
  readonly #thread: KernelThread
  readonly #log: Logger
  readonly #network: ServiceNetwork
  readonly #bridges = new Set<string>()
  readonly #render = serviceRenderer()
  readonly #turns = new Turns(() => this.#apply())
  #wanted: readonly ServiceRule[] | undefined
  #restored = false
  /** Whether what is in force is still what was put in force, as far as anybody has said. */
  #trusted = false
  /** Undefined while nothing is known about what is there. */
  #inForce: InForce | undefined
  /** By key: chains that this process has made, or tried to, and that may be there though nothing leads to them. */
  readonly #suspects = new Map<string, Chain>()

  constructor({ thread, log, network }: ServiceRulesOptions) {
    this.#thread = thread
    this.#log = log
    this.#network = network
  }

  /** Containers of these networks reach Services. Without the network that the chains are named after there are none. */
  addBridge(name: string): void {
    this.#bridges.add(name)
  }

  removeBridge(name: string): void {
    this.#bridges.delete(name)
  }

  /** @throws {StatusError} `invalid_argument`: nothing has changed then */
  set(services: readonly ServiceRule[]): void {
    assertServiceRules(services, this.#network)
    this.#wanted = services
  }

  /** All networks are known, and nothing about what is in force. */
  reset(): void {
    this.#restored = true
    this.#trusted = false
  }

  /**
   * Resolves when all that was wanted at the call is in force. Before `reset` and the first `set` not all is known:
   * what the daemon before has put in force stays.
   */
  sync(): Promise<void> {
    if (!this.#restored || this.#wanted === undefined) return Promise.resolve()
    return this.#turns.run()
  }

  /** What is not in force, or is and should not be, in words. */
  inspect(): Promise<string[]> {
    return this.#turns.between(async () => {
      if (this.#inForce === undefined) return []
      const text = this.#renderFrom(await saveRules(this.#thread, 4), this.#inForce.chains)
      const changes = text.split('\n').filter((line) => /^(-[AIDX]|:) ?/.test(line))
      return changes.length === 0 ? [] : [`iptables lacks rules of Services: ${changes.slice(0, 3).join('; ')}`]
    })
  }

  /** Somebody has changed something: what is ours is built anew if it is not as it was made. */
  async verify(): Promise<void> {
    const untouched = await this.#turns.between(async () => {
      const generation = this.#inForce && (await this.#untouchedAt(this.#inForce))
      if (generation === undefined) return false
      this.#inForce = { ...this.#inForce!, generation }
      return true
    })
    if (!untouched) await this.mend()
  }

  /** Builds all anew where it is not as it should be. */
  mend(): Promise<void> {
    this.#trusted = false
    return this.sync()
  }

  #forget(): void {
    this.#suspect(this.#inForce?.chains ?? [])
    this.#inForce = undefined
  }

  /** In the order in which they were made last. */
  #suspect(chains: readonly Chain[]): void {
    for (const chain of chains) {
      this.#suspects.delete(chainKey(chain))
      this.#suspects.set(chainKey(chain), chain)
    }
  }

  async #apply(): Promise<void> {
    const services = this.#wanted ?? []
    const layout = { ...this.#network, bridges: [...this.#bridges].sort() }
    const isNeeded = services.length > 0 && this.#bridges.has(layout.bridge)
    const chains = isNeeded ? this.#render(services, layout) : []
    if (!this.#trusted) this.#forget()
    this.#trusted = true
    const before = this.#inForce
    const changed = before !== undefined && (await this.#change(before, { chains, services }))
    if (!changed) await this.#build({ chains, services })
    await this.#forgetFlows(changed ? before.services : undefined, services)
  }

  /** False if what is in force is not known well enough. */
  async #change(before: InForce, wanted: Wanted): Promise<boolean> {
    const text = renderChange(before.chains, wanted.chains)
    if (text === '') {
      this.#inForce = { ...before, ...wanted }
      return true
    }
    const generation = await this.#untouchedAt(before)
    if (generation === undefined) return false
    try {
      await this.#restore(text, generation, wanted)
      return true
    } catch (error) {
      this.#log.warn('rules of Services could not be changed; building them anew', { error })
      return false
    }
  }

  async #build(wanted: Wanted): Promise<void> {
    this.#forget()
    const generation = await this.#readGeneration()
    const text = this.#renderFrom(await saveRules(this.#thread, 4), wanted.chains)
    if (text !== '' && this.#suspects.size > 0) {
      this.#log.warn('rules of Services were not as they were made; building them anew')
    }
    await this.#restore(text, generation, wanted)
  }

  /** Makes the change, from what was there at that generation. */
  async #restore(text: string, generation: number, wanted: Wanted): Promise<void> {
    this.#forget()
    this.#suspect(wanted.chains)
    failpoint('network.service-rules')
    if (text !== '') await restoreRules(this.#thread, 4, text)
    const now = await this.#readGeneration()
    const commits = countCommits(text)
    const alone = commits > 0 && now === (generation + commits) >>> 0
    this.#inForce = { ...wanted, generation: alone ? now : undefined }
    this.#suspects.clear()
  }

  #renderFrom(saved: string, chains: readonly Chain[]): string {
    const wanted = new Set(chains.map(chainKey))
    // A suspect that nothing leads to is not among those found; the last that was made may lead to those before.
    const there = [...findServiceChains(saved, this.#network.bridge), ...[...this.#suspects.values()].reverse()]
    const retired = new Map(there.map((chain) => [chainKey(chain), chain]))
    for (const key of wanted) retired.delete(key)
    return renderRebuild(chains, [...retired.values()], saved)
  }

  /** The generation at which the rules are still as they were made; undefined if that cannot be told. */
  async #untouchedAt({ chains, generation }: InForce): Promise<number | undefined> {
    const now = await this.#readGeneration()
    if (now === generation) return now
    const found = await this.#thread.call<ReadonlyMap<string, number>>('network.chainUses', ['nat', 'filter'])
    return [...countUses(chains)].every(([key, use]) => found.get(key) === use) ? now : undefined
  }

  #readGeneration(): Promise<number> {
    return this.#thread.call('network.rulesGeneration', null)
  }

  /** Without `before` any flow may be stale. */
  async #forgetFlows(before: readonly ServiceRule[] | undefined, after: readonly ServiceRule[]): Promise<void> {
    const targets = changedTargets(before ?? [], after)
    if (before !== undefined && targets.length === 0) return
    const input: StaleFlowsInput = { targets, ...(before === undefined && { subnet: this.#network.subnet }) }
    await this.#thread
      .call('network.forgetStaleFlows', input)
      .catch((error: unknown) => this.#log.warn('cannot reset UDP flows of Services', { error }))
  }
}
