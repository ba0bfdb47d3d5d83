import { setTimeout as sleep } from 'node:timers/promises'
import type { Ctx } from '../lib/ctx.ts'
import { type Container, cgroupPath, isAlive } from '../model/container.ts'
import type { Usage } from '../runtime/index.ts'
import type { ReadTx } from '../store/index.ts'
import { CpuHistory, type CpuLoad } from './cpu-history.ts'
import type { Deps } from './deps.ts'

/** A container, and what it used when it was looked at: nothing if it has no process. */
export interface ContainerStats {
  readonly container: Container
  readonly logFile: string
  readonly usage?: Usage & { readonly load: CpuLoad }
}

/** Which containers: these ids, or all that have a process. */
export type Sampled = readonly string[] | 'alive'

type SamplerDeps = Pick<Deps, 'store' | 'log'> & {
  readonly runtime: Pick<Deps['runtime'], 'usage'>
  readonly paths: Pick<Deps['paths'], 'log'>
}

const INTERVAL_MS = 1000
/** How long a look is remembered for the next one to be measured from. */
const REMEMBER_MS = 60_000

/** Of so many the sandboxes are read one by one; a list of all costs no parsing, but the reading of all. */
const A_FEW = 16

interface Follower {
  readonly which: Sampled
  /** The last look that it has not taken yet; an older one is lost. */
  latest: readonly ContainerStats[] | undefined
  wake: () => void
}

/**
 * Looks at what containers use: once, or every second for those who follow. All followers share one look; it is taken
 * only while there are any, and one that is slow misses looks.
 */
export class UsageSampler {
  readonly #deps: SamplerDeps
  readonly #ctx: Ctx
  readonly #intervalMs: number
  readonly #histories = new Map<string, CpuHistory>()
  readonly #followers = new Set<Follower>()
  /** The look at all that is being taken: who comes meanwhile shares it. */
  #lookAtAll: Promise<readonly ContainerStats[]> | undefined
  #ticking = false
  #forgetting: NodeJS.Timeout | undefined

  /** `ctx` is the daemon's. */
  constructor(ctx: Ctx, deps: SamplerDeps, intervalMs = INTERVAL_MS) {
    this.#ctx = ctx
    this.#deps = deps
    this.#intervalMs = intervalMs
  }

  /** In the order of the ids, or of creation. A container that is gone is left out. */
  async look(which: Sampled): Promise<readonly ContainerStats[]> {
    if (which !== 'alive') return await this.#look(which)
    this.#lookAtAll ??= this.#look(which).finally(() => {
      this.#lookAtAll = undefined
    })
    return await this.#lookAtAll
  }

  /** One at once, then one a second; ends with the context, or when all that were named are gone. */
  async *follow(ctx: Ctx, which: Sampled): AsyncGenerator<readonly ContainerStats[]> {
    yield await this.look(which)
    const follower: Follower = { which, latest: undefined, wake: () => {} }
    const wake = () => follower.wake()
    ctx.signal.addEventListener('abort', wake)
    this.#followers.add(follower)
    if (!this.#ticking) void this.#tickWhileFollowed()
    try {
      while (!ctx.signal.aborted) {
        const stats = follower.latest
        follower.latest = undefined
        if (stats === undefined) {
          const { promise, resolve } = Promise.withResolvers<void>()
          follower.wake = resolve
          await promise
        } else if (stats.length === 0 && which !== 'alive') return
        else yield stats
      }
    } finally {
      ctx.signal.removeEventListener('abort', wake)
      this.#followers.delete(follower)
    }
  }

  async #tickWhileFollowed(): Promise<void> {
    this.#ticking = true
    for (let spentMs = 0; ; ) {
      await sleep(Math.max(0, this.#intervalMs - spentMs), undefined, { ref: false })
      if (this.#followers.size === 0 || this.#ctx.signal.aborted) break
      const begun = performance.now()
      await this.#publish().catch((error: unknown) =>
        this.#deps.log.error('cannot look at what containers use', { error }),
      )
      spentMs = performance.now() - begun
    }
    this.#ticking = false
  }

  async #publish(): Promise<void> {
    const followers = [...this.#followers]
    const all = followers.some(({ which }) => which === 'alive')
    const alive = all ? await this.look('alive') : []
    const seen = new Map(alive.map((stats) => [stats.container.metadata.uid, stats]))
    const named = new Set(followers.flatMap(({ which }) => (which === 'alive' ? [] : which)))
    const missing = [...named].filter((id) => !seen.has(id))
    for (const stats of await this.#look(missing)) seen.set(stats.container.metadata.uid, stats)
    for (const follower of followers) {
      const { which } = follower
      follower.latest = which === 'alive' ? alive : which.flatMap((id) => seen.get(id) ?? [])
      follower.wake()
    }
  }

  async #look(which: Sampled): Promise<readonly ContainerStats[]> {
    this.#forgetLater()
    const { found, targets } = this.#deps.store.read((tx) => {
      const found = containersOf(tx, which)
      const alive = found.filter(({ status }) => isAlive(status))
      return { found, targets: targetsOf(tx, alive) }
    })
    const usages = await this.#deps.runtime.usage(this.#ctx, [...targets.values()])
    const byId = new Map([...targets.keys()].map((id, index) => [id, usages[index]]))
    return found.map((container) => {
      const { uid } = container.metadata
      const usage = byId.get(uid)
      const logFile = this.#deps.paths.log(uid)
      if (usage === undefined) return { container, logFile }
      return { container, logFile, usage: { ...usage, load: this.#load(container, usage) } }
    })
  }

  #load({ metadata, status }: Container, { takenAt, cpu }: Usage): CpuLoad {
    let history = this.#histories.get(metadata.uid)
    if (history === undefined || history.startedAt !== status.startedAt) {
      history = new CpuHistory(status.startedAt!)
      this.#histories.set(metadata.uid, history)
    }
    return history.look({ at: takenAt, usageUsec: cpu.usageUsec })
  }

  #forgetLater(): void {
    clearTimeout(this.#forgetting)
    this.#forgetting = setTimeout(() => this.#histories.clear(), REMEMBER_MS).unref()
  }
}

function containersOf(tx: ReadTx, which: Sampled): Container[] {
  if (which === 'alive') return tx.list('Container').filter(({ status }) => isAlive(status))
  return which.flatMap((id) => tx.getByUid('Container', id) ?? [])
}

/** By the containers' ids. */
function targetsOf(tx: ReadTx, containers: readonly Container[]) {
  const sandboxes =
    containers.length > A_FEW ? new Map(tx.list('Sandbox').map((one) => [one.metadata.uid, one])) : undefined
  return new Map(
    containers.map((container) => {
      const { sandboxId } = container.spec
      const sandbox = sandboxes === undefined ? tx.getByUid('Sandbox', sandboxId) : sandboxes.get(sandboxId)
      const links = sandbox?.spec.attachments.map((attachment) => attachment.interface) ?? []
      return [container.metadata.uid, { cgroup: cgroupPath(container), pid: container.status.pid!, links }]
    }),
  )
}
