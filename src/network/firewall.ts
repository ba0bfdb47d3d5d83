import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Logger } from '../lib/log.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { runProgram } from '../linux/run-program.ts'
import type { NetworkSpec } from '../model/network.ts'
import { bridgeChains, type Chain, type PortRule, renderDelta, renderRebuild } from './iptables.ts'

const WAIT_SECONDS = '10'

/**
 * Keeps iptables as its networks and ports say. Callers change what is wanted, then wait for `sync`: those who come
 * while a change is under way share the next one, so that any number of them costs two processes.
 */
export class Firewall {
  readonly #thread: KernelThread
  readonly #log: Logger
  readonly #networks = new Map<string, NetworkSpec>()
  readonly #retired = new Map<string, NetworkSpec>()
  #ports = new Map<string, readonly PortRule[]>()
  /** What is known to be in force; undefined when nothing is known and all must be built anew. */
  #applied: readonly Chain[] | undefined
  /** The networks whose own rules are in force, by bridge; also while ports change. */
  #enforced: ReadonlyMap<string, NetworkSpec> = new Map()
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(thread: KernelThread, log: Logger) {
    this.#thread = thread
    this.#log = log
  }

  /** Whether rules have ever been put in force. */
  get isBuilt(): boolean {
    return this.#applied !== undefined
  }

  /** Resolves when the bridge's own rules are in force, whatever ports are being changed meanwhile. */
  async enforced(bridge: string): Promise<void> {
    const network = this.#networks.get(bridge)
    if (network === undefined || this.#enforced.get(bridge) !== network) await this.sync()
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
    this.#applied = undefined
    this.#enforced = new Map()
  }

  /** Resolves when all that was wanted at the call is in force. */
  sync(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      const run = this.#apply()
      this.#running = run.catch(() => {
        this.#enforced = new Map()
      })
      return run
    })
    return this.#next
  }

  async #apply(): Promise<void> {
    const networks = new Map(this.#networks)
    const wanted = this.#wanted()
    const applied = this.#applied
    this.#applied = undefined
    if (applied !== undefined && sameChains(applied, wanted) && (await this.#applyDelta(applied, wanted))) {
      this.#applied = wanted
      this.#enforced = networks
      return
    }
    const retired = [...this.#retired.values()]
    const saved = await this.#run('iptables-save', [])
    const text = renderRebuild(
      wanted,
      retired.flatMap((network) => bridgeChains(network, [])),
      saved,
    )
    failpoint('network.rules')
    await this.#restore(text)
    for (const { bridge } of retired) this.#retired.delete(bridge)
    this.#applied = wanted
    this.#enforced = networks
  }

  /** Whether it could be applied. */
  async #applyDelta(applied: readonly Chain[], wanted: readonly Chain[]): Promise<boolean> {
    const delta = renderDelta(applied, wanted)
    if (delta === '') return true
    failpoint('network.rules')
    try {
      await this.#restore(delta)
      return true
    } catch (error) {
      this.#log.warn('firewall rules were changed by someone else; building them anew', { error })
      return false
    }
  }

  async #restore(text: string): Promise<void> {
    if (text !== '') await this.#run('iptables-restore', ['--noflush', '--wait', WAIT_SECONDS], text)
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

  #wanted(): readonly Chain[] {
    const all = [...this.#ports.values()].flat()
    return [...this.#networks.values()].flatMap((network) =>
      bridgeChains(
        network,
        all.filter(({ bridge }) => bridge === network.bridge),
      ),
    )
  }
}

function sameChains(applied: readonly Chain[], wanted: readonly Chain[]): boolean {
  return applied.length === wanted.length && applied.every(({ name }, index) => name === wanted[index]!.name)
}
