/** What becomes of a container's probes, without any I/O: kubelet's pkg/kubelet/prober/worker.go and prober_manager.go. */
import { type ContainerStatus, containerState, type ProbeState } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { Probe } from '../../model/kube/probe.ts'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'
type Verdict = 'success' | 'failure'
/** `error`: it could not be asked, which counts neither way. */
export type ProbeOutcome = Verdict | 'error'

interface ProbeRules {
  readonly initialDelayMs: number
  readonly periodMs: number
  readonly timeoutMs: number
  readonly successThreshold: number
  readonly failureThreshold: number
}

/** Where one probe of one run of a container stands. Times are ms of a clock that only rises. */
export interface ProbeStanding {
  /** What counts: it changes when a threshold is reached. */
  readonly verdict: Verdict | undefined
  readonly last: Verdict | undefined
  /** How often `last` came in a row. */
  readonly streak: number
  /** When it runs by its period. */
  readonly dueAt: number
  /** Between these it runs early, as long as it has not succeeded: a failure does not count then. */
  readonly early: { readonly at: number; readonly stepMs: number } | undefined
}

export interface ProbeRun {
  readonly outcome: ProbeOutcome
  readonly begunAt: number
  /** It was due by its period. */
  readonly counts: boolean
}

/** Sooner after its start no failure of a container counts; kubelet hears of a start within that time. */
const SETTLE_MS = 1000
/** What goes on by its period goes on at multiples of it. */
const STEP_MS = 1000
/** A start of a process costs more than a connection. */
const FIRST_EARLY_MS = { exec: 400, other: 50 }

/** A zero stands for the default, but of the delay (the API's Probe). */
export function probeRules(probe: Probe): ProbeRules {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    periodMs: (probe.periodSeconds || 10) * 1000,
    timeoutMs: (probe.timeoutSeconds || 1) * 1000,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  }
}

export function probeOf(container: PodContainer, kind: ProbeKind): Probe | undefined {
  return container[`${kind}Probe`]
}

/** Those that are to run now. Liveness and readiness wait for startup; what wants the container ended has said its word. */
export function wantedProbes(container: PodContainer, status: ContainerStatus): ProbeKind[] {
  if (containerState(status) !== 'running' || status.stopRequestedAt !== undefined) return []
  const { started, failed } = status.probes ?? initialState(container)
  const wanted = {
    startup: !started && failed === undefined,
    liveness: started && failed === undefined,
    readiness: started,
  }
  return (['startup', 'liveness', 'readiness'] as const).filter(
    (kind) => wanted[kind] && probeOf(container, kind) !== undefined,
  )
}

export interface Beginning {
  readonly now: number
  /** How long the container has run. */
  readonly ranMs: number
  /** An earlier daemon has started it: it is probed at a random time, so that not all are at once. */
  readonly isAdopted: boolean
  readonly isReady: boolean
}

export function firstStanding(kind: ProbeKind, probe: Probe, beginning: Beginning): ProbeStanding {
  const { now, ranMs, isAdopted, isReady } = beginning
  const { initialDelayMs, periodMs } = probeRules(probe)
  const verdict = { startup: undefined, liveness: 'success', readiness: isReady ? 'success' : 'failure' } as const
  const standing = { verdict: verdict[kind], last: undefined, streak: 0, early: undefined }
  const after = (delayMs: number) => now + Math.max(0, delayMs - ranMs)
  if (isAdopted) return { ...standing, dueAt: Math.max(after(initialDelayMs), now + Math.random() * periodMs) }
  const dueAt = after(Math.max(initialDelayMs, SETTLE_MS))
  // A liveness probe that succeeds changes nothing.
  if (kind === 'liveness') return { ...standing, dueAt }
  const stepMs = FIRST_EARLY_MS[probe.exec === undefined ? 'other' : 'exec']
  return { ...standing, dueAt, early: { at: after(initialDelayMs) + stepMs, stepMs } }
}

export function nextRun({ dueAt, early }: ProbeStanding): { readonly at: number; readonly counts: boolean } {
  const isEarly = early !== undefined && early.at < dueAt
  return isEarly ? { at: early.at, counts: false } : { at: dueAt, counts: true }
}

export function probeAfter(standing: ProbeStanding, probe: Probe, run: ProbeRun): ProbeStanding {
  const rules = probeRules(probe)
  const { outcome, counts } = run
  const next = { ...standing, ...turnsAfter(standing, rules, run) }
  if (outcome === 'error' || (outcome === 'failure' && !counts)) return next
  const streak = standing.last === outcome ? standing.streak + 1 : 1
  const threshold = outcome === 'success' ? rules.successThreshold : rules.failureThreshold
  return { ...next, last: outcome, streak, verdict: streak >= threshold ? outcome : standing.verdict }
}

/** Early runs come at growing distances, until those of the period are as close. */
function turnsAfter(
  { dueAt, early }: ProbeStanding,
  { periodMs }: ProbeRules,
  { outcome, begunAt, counts }: ProbeRun,
): Pick<ProbeStanding, 'dueAt' | 'early'> {
  const stepMs = early === undefined ? Infinity : early.stepMs * 2
  return {
    dueAt: counts || outcome === 'success' ? inStep(begunAt + periodMs) : dueAt,
    early: outcome !== 'success' && stepMs < periodMs ? { at: begunAt + stepMs, stepMs } : undefined,
  }
}

/** All together: to wake for each by itself would cost more than what they do. */
function inStep(at: number): number {
  return Math.round(at / STEP_MS) * STEP_MS
}

/** Before any probe has told anything. */
function initialState(container: PodContainer): ProbeState {
  const started = container.startupProbe === undefined
  return { started, ready: started && container.readinessProbe === undefined }
}

/** What a new verdict makes of the container's state. */
export function stateAfter(
  container: PodContainer,
  state: ProbeState = initialState(container),
  { kind, verdict, message }: { readonly kind: ProbeKind; readonly verdict: Verdict; readonly message: string },
): ProbeState {
  if (kind === 'readiness') return { ...state, ready: verdict === 'success' }
  if (verdict === 'failure') return { ...state, failed: kind, message }
  return kind === 'startup' ? { ...state, started: true, ready: container.readinessProbe === undefined } : state
}
