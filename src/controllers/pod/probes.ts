import type { Ctx } from '../../lib/ctx.ts'
import { sleep } from '../../lib/long-timer.ts'
import { type Container, containerState } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import { containerInPod } from '../../model/kube/pod-run.ts'
import type { Probe } from '../../model/kube/probe.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { tellOf } from '../../resources/index.ts'
import type { ReadTx, Store } from '../../store/index.ts'
import { tellOfPod } from './events.ts'
import { type ProbeEngine, runProbe } from './probe-action.ts'
import {
  firstStanding,
  nextRun,
  type ProbeKind,
  type ProbeOutcome,
  type ProbeStanding,
  probeAfter,
  probeOf,
  stateAfter,
  wantedProbes,
} from './probe-state.ts'
import { type ProbeTarget, probeTarget } from './probe-target.ts'

/** One run of a container, and the loops that probe it. */
interface Run {
  readonly container: Container
  readonly pod: Pod
  readonly spec: PodContainer
  readonly target: ProbeTarget
  readonly loops: Map<ProbeKind, AbortController>
}

/** Of failures that change nothing not each is told, nor of errors; the one does not hide the other. */
const TOLD_AGAIN_MS = 60_000

/**
 * Probes the containers of pods that run, a loop for each of their probes. What is in the store is read once a run and
 * written when it changes (`status.probes`); single results are nowhere.
 */
export class PodProbes implements AsyncDisposable {
  readonly #ctx: Ctx
  readonly #store: Store
  readonly #engine: ProbeEngine
  /** What was started before was started by an earlier daemon. */
  readonly #since = Date.now()
  readonly #runs = new Map<string, Run>()
  readonly #loops = new Set<Promise<void>>()

  constructor(ctx: Ctx, store: Store, engine: ProbeEngine) {
    this.#ctx = ctx
    this.#store = store
    this.#engine = engine
  }

  /** Begins or ends to probe a container, as it is now. One that is being stopped is not ready any more. */
  sync(id: string): void {
    const container = this.#store.read((tx) => tx.getByUid('Container', id))
    const run = this.#runOf(id, container)
    if (container === undefined || run === undefined) return
    if (container.status.stopRequestedAt !== undefined) this.#setUnready(run)
    const wanted = wantedProbes(run.spec, container.status)
    for (const [kind, ending] of run.loops) {
      if (wanted.includes(kind)) continue
      run.loops.delete(kind)
      ending.abort()
    }
    for (const kind of wanted) if (!run.loops.has(kind)) this.#begin(run, container, kind)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#runs.keys()) this.#end(id)
    await Promise.all(this.#loops)
  }

  #runOf(id: string, container: Container | undefined): Run | undefined {
    const known = this.#runs.get(id)
    const runs = container !== undefined && containerState(container.status) === 'running'
    if (runs && known !== undefined && isSameRun(known, container)) return known
    this.#end(id)
    const run = runs ? this.#load(container) : undefined
    if (run !== undefined) this.#runs.set(id, run)
    return run
  }

  #load(container: Container): Run | undefined {
    return this.#store.read((tx) => {
      const pod = tx.getByUid('Pod', container.metadata.owner?.uid ?? '')
      const spec = pod && containerInPod(pod, container)
      if (pod === undefined || spec === undefined) return undefined
      const target = probeTarget(pod, container, tx.getByUid('Sandbox', container.spec.sandboxId))
      return { container, pod, spec, target, loops: new Map() }
    })
  }

  #end(id: string): void {
    for (const ending of this.#runs.get(id)?.loops.values() ?? []) ending.abort()
    this.#runs.delete(id)
  }

  #begin(run: Run, { status }: Container, kind: ProbeKind): void {
    const ending = new AbortController()
    run.loops.set(kind, ending)
    const probe = probeOf(run.spec, kind)!
    const standing = firstStanding(kind, probe, {
      now: performance.now(),
      ranMs: Math.max(0, Date.now() - status.startedAt!),
      isAdopted: status.startedAt! < this.#since,
      isReady: status.probes?.ready === true,
    })
    const ctx = { ...this.#ctx, signal: ending.signal }
    const loop = this.#loop(ctx, run, kind, probe, standing)
      .catch((error) => ctx.log.error('a container is not probed any more', { containerId: idOf(run), kind, error }))
      .finally(() => this.#loops.delete(loop))
    this.#loops.add(loop)
  }

  async #loop(ctx: Ctx, run: Run, kind: ProbeKind, probe: Probe, first: ProbeStanding): Promise<void> {
    let standing = first
    const toldAt = { failure: -Infinity, error: -Infinity }
    for (;;) {
      const { at, counts } = nextRun(standing)
      await sleep(Math.max(0, Math.ceil(at - performance.now())), ctx.signal)
      if (ctx.signal.aborted) return
      const begunAt = performance.now()
      const { outcome, message } = await runProbe(ctx, this.#engine, run.target, probe)
      if (ctx.signal.aborted) return
      // As kubelet: a pod that ends is not hurried by these.
      if (outcome === 'failure' && kind !== 'readiness' && this.#isEnding(run)) return
      const next = probeAfter(standing, probe, { outcome, begunAt, counts })
      const changes = next.verdict !== standing.verdict
      const isRecorded = !changes || this.#record(run, kind, next.verdict!, message)
      if (!changes && counts && outcome !== 'success' && begunAt - toldAt[outcome] > TOLD_AGAIN_MS) {
        toldAt[outcome] = begunAt
        tellOfPod(this.#store, run.pod, 'Unhealthy', textOf(kind, outcome, message), warningOf(run))
      }
      standing = isRecorded ? next : { ...next, verdict: standing.verdict }
    }
  }

  #isEnding({ pod }: Run): boolean {
    const current = this.#store.read((tx) => tx.getByUid('Pod', pod.metadata.uid))
    return current === undefined || current.metadata.deletedAt !== undefined || current.spec.stopped === true
  }

  /** False if the store cannot take it now: it comes again with the next result. */
  #record(run: Run, kind: ProbeKind, verdict: 'success' | 'failure', message: string): boolean {
    try {
      this.#store.write((tx) => {
        const container = currentOf(tx, run)
        if (container === undefined || container.status.stopRequestedAt !== undefined) return
        const probes = stateAfter(run.spec, container.status.probes, { kind, verdict, message })
        tx.putStatus('Container', idOf(run), { probes })
        if (verdict === 'success') return
        tellOf(tx, 'Pod', run.pod, 'Unhealthy', textOf(kind, verdict, message), warningOf(run))
      })
      // What waited for startup begins, what has failed ends.
      this.sync(idOf(run))
      return true
    } catch (error) {
      this.#ctx.log.error('the result of a probe cannot be recorded', { containerId: idOf(run), kind, error })
      return false
    }
  }

  #setUnready(run: Run): void {
    this.#store.write((tx) => {
      const probes = currentOf(tx, run)?.status.probes
      if (probes?.ready) tx.putStatus('Container', idOf(run), { probes: { ...probes, ready: false } })
    })
  }
}

/** Undefined if another run has begun, or none goes on. */
function currentOf(tx: ReadTx, run: Run): Container | undefined {
  const container = tx.getByUid('Container', idOf(run))
  return container !== undefined && isSameRun(run, container) ? container : undefined
}

function textOf(kind: ProbeKind, outcome: ProbeOutcome, message: string): string {
  const how = outcome === 'error' ? 'errored' : 'failed'
  return `${kind[0]!.toUpperCase()}${kind.slice(1)} probe ${how}: ${message}`
}

function warningOf({ spec }: Run) {
  return { type: 'Warning', container: spec.name } as const
}

function idOf({ container }: Run): string {
  return container.metadata.uid
}

function isSameRun({ container }: Run, { status }: Container): boolean {
  const { pid, startedAt } = container.status
  return status.pid === pid && status.startedAt === startedAt
}
