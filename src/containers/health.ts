import type { Ctx } from '../lib/ctx.ts'
import { sleep } from '../lib/long-timer.ts'
import { type Container, containerState } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import { type Healthcheck, type HealthStatus, healthAfter, probeIntervalMs } from '../model/healthcheck.ts'
import type { Deps } from './deps.ts'
import { type ProbeResult, type ProbeTurns, probe } from './probe.ts'

/** What is known of a container's health beyond its state: of this daemon's life. */
export interface HealthReport {
  readonly failingStreak: number
  /** The last five, oldest first. */
  readonly log: readonly ProbeResult[]
}

const KEPT_RESULTS = 5

interface Watch {
  /** Of the container: another one is another run. */
  readonly pid: number
  readonly ending: AbortController
}

/**
 * Asks the containers that run, one loop each, whether they are well. Results are in memory, changes of the state in
 * the store, with their event.
 */
export class HealthProbes implements AsyncDisposable {
  readonly #ctx: Ctx
  readonly #deps: Deps
  readonly #watches = new Map<string, Watch>()
  readonly #reports = new Map<string, HealthReport & { readonly pid: number }>()
  readonly #loops = new Set<Promise<void>>()
  readonly #turns: ProbeTurns

  constructor(ctx: Ctx, deps: Deps, turns: ProbeTurns) {
    this.#ctx = ctx
    this.#deps = deps
    this.#turns = turns
  }

  /** Begins or ends to probe a container, as it is now. What is paused is not probed. */
  sync(id: string): void {
    const container = this.#deps.store.read((tx) => tx.getByUid('Container', id))
    const check = container?.spec.healthcheck
    const isWanted = check !== undefined && containerState(container!.status) === 'running'
    const watch = this.#watches.get(id)
    if (watch !== undefined && (!isWanted || watch.pid !== container!.status.pid)) this.#end(id, watch)
    if (container === undefined) this.#reports.delete(id)
    if (isWanted && !this.#watches.has(id)) this.#begin(container!, check!)
  }

  report({ metadata, status }: Container): HealthReport {
    const report = this.#reports.get(metadata.uid)
    const isOfThisRun = status.pid === undefined || report?.pid === status.pid
    return report !== undefined && isOfThisRun
      ? { failingStreak: report.failingStreak, log: report.log }
      : { failingStreak: 0, log: [] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [id, watch] of this.#watches) this.#end(id, watch)
    await Promise.all(this.#loops)
  }

  #end(id: string, { ending }: Watch): void {
    this.#watches.delete(id)
    ending.abort()
  }

  #begin(container: Container, check: Healthcheck): void {
    const id = container.metadata.uid
    const ending = new AbortController()
    this.#watches.set(id, { pid: container.status.pid!, ending })
    const ctx = { ...this.#ctx, signal: ending.signal }
    const loop = this.#run(ctx, container, check)
      .catch((error) => ctx.log.error('a container is not probed any more', { containerId: id, error }))
      .finally(() => this.#loops.delete(loop))
    this.#loops.add(loop)
  }

  async #run(ctx: Ctx, container: Container, check: Healthcheck): Promise<void> {
    let waitMs = firstWaitMs(check, container)
    for (;;) {
      await sleep(waitMs, ctx.signal)
      if (ctx.signal.aborted) return
      const result = await this.#turns(() => probe(ctx, this.#deps, container, check))
      if (ctx.signal.aborted) return
      const status = this.#record(container, check, result)
      if (status === undefined) return
      waitMs = probeIntervalMs(check, status, Date.now() - container.status.startedAt!)
    }
  }

  /** Undefined if the container has ended meanwhile. */
  #record({ metadata, status: { pid } }: Container, check: Healthcheck, result: ProbeResult): HealthStatus | undefined {
    const { uid } = metadata
    const before = this.#reports.get(uid)
    const { failingStreak = 0, log = [] } = before?.pid === pid ? (before ?? {}) : {}
    return this.#deps.store.write((tx) => {
      const current = tx.getByUid('Container', uid)
      if (current?.status.pid !== pid || current?.status.startedAt === undefined) return undefined
      const status = current.status.health?.status ?? 'starting'
      const sinceStartMs = result.startedAt - current.status.startedAt
      const next = healthAfter(check, { status, failingStreak }, { exitCode: result.exitCode, sinceStartMs })
      const kept = [...log, result].slice(-KEPT_RESULTS)
      this.#reports.set(uid, { pid: pid!, failingStreak: next.failingStreak, log: kept })
      if (next.status !== status) {
        const changed = tx.putStatus('Container', uid, { health: { status: next.status, changedAt: Date.now() } })
        tx.event(containerEvent(changed, 'health_status', { health: next.status }))
      }
      return next.status
    })
  }
}

/** One that was just started waits its interval; of those that a daemon finds, each at a time of its own. */
function firstWaitMs(check: Healthcheck, { status }: Container): number {
  const sinceStartMs = Math.max(0, Date.now() - (status.startedAt ?? 0))
  const intervalMs = probeIntervalMs(check, status.health?.status ?? 'starting', sinceStartMs)
  return sinceStartMs < intervalMs ? intervalMs - sinceStartMs : Math.random() * intervalMs
}
