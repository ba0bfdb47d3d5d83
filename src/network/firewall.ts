import { type ExecFileException, execFile } from 'node:child_process'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Logger } from '../lib/log.ts'
import type { NetworkSpec } from '../model/network.ts'
import { bridgeChains, type Chain, type PortRule, renderDelta, renderRebuild } from './iptables.ts'

const WAIT_SECONDS = '10'

/**
 * Keeps iptables as its networks and ports say. Callers change what is wanted, then wait for `sync`: those who come
 * while a change is under way share the next one, so that any number of them costs two processes.
 */
export class Firewall {
  readonly #log: Logger
  readonly #networks = new Map<string, NetworkSpec>()
  readonly #retired = new Map<string, NetworkSpec>()
  #ports = new Map<string, readonly PortRule[]>()
  /** What is known to be in force; undefined when nothing is known and all must be built anew. */
  #applied: readonly Chain[] | undefined
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(log: Logger) {
    this.#log = log
  }

  /** Whether rules have ever been put in force. */
  get isBuilt(): boolean {
    return this.#applied !== undefined
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
  }

  /** Resolves when all that was wanted at the call is in force. */
  sync(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      const run = this.#apply()
      this.#running = run.catch(() => {})
      return run
    })
    return this.#next
  }

  async #apply(): Promise<void> {
    const wanted = this.#wanted()
    const applied = this.#applied
    this.#applied = undefined
    if (applied !== undefined && sameChains(applied, wanted) && (await this.#applyDelta(applied, wanted))) {
      this.#applied = wanted
      return
    }
    const retired = [...this.#retired.values()]
    const saved = await run('iptables-save', [], '')
    const text = renderRebuild(
      wanted,
      retired.flatMap((network) => bridgeChains(network, [])),
      saved,
    )
    failpoint('network.rules')
    await restore(text)
    for (const { bridge } of retired) this.#retired.delete(bridge)
    this.#applied = wanted
  }

  /** Whether it could be applied. */
  async #applyDelta(applied: readonly Chain[], wanted: readonly Chain[]): Promise<boolean> {
    const delta = renderDelta(applied, wanted)
    if (delta === '') return true
    failpoint('network.rules')
    try {
      await restore(delta)
      return true
    } catch (error) {
      this.#log.warn('firewall rules were changed by someone else; building them anew', { error })
      return false
    }
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

async function restore(text: string): Promise<void> {
  if (text !== '') await run('iptables-restore', ['--noflush', '--wait', WAIT_SECONDS], text)
}

function run(program: string, args: readonly string[], input: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const options = {
    env: { ...process.env, PATH: `/usr/sbin:/sbin:${process.env['PATH'] ?? '/usr/bin:/bin'}`, LC_ALL: 'C' },
    timeout: 30_000,
    maxBuffer: 64 * 1024 * 1024,
  }
  const child = execFile(program, args, options, (error, stdout, stderr) => {
    if (error === null) resolve(stdout)
    else reject(failed([program, ...args].join(' '), error, stderr))
  })
  // If it ends before it has read everything, its exit code says why.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  return promise
}

function failed(command: string, error: ExecFileException, stderr: string): StatusError {
  if (error.code === 'ENOENT') {
    return new StatusError('failed_precondition', 'Cannot set firewall rules: install the package iptables', {
      cause: error,
    })
  }
  const lastLines = stderr.trim().split('\n').slice(-5).join('; ')
  return new StatusError(
    'internal',
    `Cannot set firewall rules: ${command} failed (${error.code ?? 'killed'}): ${lastLines}`,
    {
      cause: error,
      details: { command, exitCode: error.code },
    },
  )
}
