import { StatusError } from '../lib/errors.ts'
import type { Family } from '../lib/ip-address.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { runProgram } from '../linux/run-program.ts'
import type { NetworkSpec } from '../model/network.ts'
import { bridgeChains, type Chain, renderRebuild } from './iptables.ts'

const WAIT_SECONDS = '10'
const PROGRAMS = { 4: 'iptables', 6: 'ip6tables' } as const

/**
 * The networks' own rules: in iptables, where they stand among the host's. Building them takes two processes, and two
 * more if there are any of IPv6.
 */
export class BridgeRules {
  readonly #thread: KernelThread
  /** By bridge. */
  #inForce: ReadonlyMap<string, NetworkSpec> = new Map()
  #handles: readonly string[] = []

  constructor(thread: KernelThread) {
    this.#thread = thread
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

  /** Trusts nothing about what is in force from here on. */
  forget(): void {
    this.#inForce = new Map()
  }

  /** These networks get their rules, from whatever is there, and the retired ones lose theirs. */
  async build(networks: ReadonlyMap<string, NetworkSpec>, retired: readonly NetworkSpec[]): Promise<void> {
    this.forget()
    const chains = [...networks.values()].flatMap(bridgeChains)
    for (const family of [4, 6] as const) await this.#rebuild(family, chains, retired.flatMap(bridgeChains))
    this.#handles = await this.#readHandles(networks)
    this.#inForce = networks
  }

  /** What of these networks' rules is not in force, or is and should not be, in words. */
  async inspect(networks: readonly NetworkSpec[]): Promise<string[]> {
    const chains = networks.flatMap(bridgeChains)
    const faults: string[] = []
    for (const family of [4, 6] as const) {
      const wanted = chains.filter((chain) => chain.family === family)
      if (wanted.length === 0) continue
      const text = renderRebuild(wanted, [], await this.#run(`${PROGRAMS[family]}-save`, []))
      const changes = text.split('\n').filter((line) => /^(-[AID]|:) ?/.test(line))
      if (changes.length > 0) faults.push(`${PROGRAMS[family]} lacks rules of ours: ${changes.slice(0, 3).join('; ')}`)
    }
    return faults
  }

  async #rebuild(family: Family, wanted: readonly Chain[], retired: readonly Chain[]): Promise<void> {
    const ours = (chains: readonly Chain[]) => chains.filter((chain) => chain.family === family)
    if (ours([...wanted, ...retired]).length === 0) return
    const program = PROGRAMS[family]
    const text = renderRebuild(ours(wanted), ours(retired), await this.#run(`${program}-save`, []))
    if (text !== '') await this.#run(`${program}-restore`, ['--noflush', '--wait', WAIT_SECONDS], text)
  }

  /** @throws {StatusError} if the host cannot have rules of the family */
  async assertPossible(family: Family): Promise<void> {
    await this.#run(`${PROGRAMS[family]}-save`, [])
  }

  #readHandles(networks: ReadonlyMap<string, NetworkSpec>): Promise<string[]> {
    return this.#thread.call('network.ruleHandles', [...networks.values()].flatMap(bridgeChains))
  }

  async #run(program: string, args: readonly string[], input?: string): Promise<string> {
    const result = await runProgram(this.#thread, program, args, input)
    if (result === undefined) {
      throw new StatusError('failed_precondition', `Cannot set firewall rules: ${program} is not installed`)
    }
    const { exitCode, stdout, stderr } = result
    if (exitCode === 0) return stdout
    const command = [program, ...args].join(' ')
    const lastLines = stderr.trim().split('\n').slice(-5).join('; ')
    throw new StatusError('internal', `Cannot set firewall rules: "${command}" exited with ${exitCode}: ${lastLines}`, {
      details: { command, exitCode },
    })
  }
}
