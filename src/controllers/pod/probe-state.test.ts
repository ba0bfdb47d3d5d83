import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ContainerStatus, ProbeState } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { Probe } from '../../model/kube/probe.ts'
import {
  firstStanding,
  nextRun,
  type ProbeKind,
  type ProbeOutcome,
  type ProbeStanding,
  probeAfter,
  probeRules,
  stateAfter,
  wantedProbes,
} from './probe-state.ts'

const tcp: Probe = { tcpSocket: { port: 80 } }
const beginning = { now: 0, ranMs: 0, isAdopted: false, isReady: false }

describe('probeRules()', () => {
  test('zeros and what is absent stand for the defaults', () => {
    const defaults = {
      initialDelayMs: 0,
      periodMs: 10_000,
      timeoutMs: 1000,
      successThreshold: 1,
      failureThreshold: 3,
    }
    assert.deepEqual(probeRules({}), defaults)
    assert.deepEqual(probeRules({ periodSeconds: 0, timeoutSeconds: 0, successThreshold: 0 }), defaults)
  })
})

describe('wantedProbes()', () => {
  const all: PodContainer = { name: 'c', startupProbe: tcp, livenessProbe: tcp, readinessProbe: tcp }
  const two: PodContainer = { name: 'c', livenessProbe: tcp, readinessProbe: tcp }
  const running: ContainerStatus = { preparedAt: 1, startedAt: 2, pid: 3, restartCount: 0 }
  const with_ = (probes: Partial<ProbeState>) => ({
    ...running,
    probes: { started: false, ready: false, ...probes },
  })
  const table: [string, PodContainer, ContainerStatus, ProbeKind[]][] = [
    ['none without a probe', { name: 'c' }, running, []],
    ['startup alone, first', all, running, ['startup']],
    ['the others after it', all, with_({ started: true }), ['liveness', 'readiness']],
    ['the others at once without it', two, running, ['liveness', 'readiness']],
    ['none after a failed startup', all, with_({ failed: 'startup' }), []],
    ['readiness alone after a failed liveness', two, with_({ started: true, failed: 'liveness' }), ['readiness']],
    ['none of what is being stopped', two, { ...running, stopRequestedAt: 5 }, []],
    ['none of what is paused', two, { ...running, pausedAt: 5 }, []],
    ['none of what has not been started', two, { preparedAt: 1, restartCount: 0 }, []],
    ['none of what has ended', two, { preparedAt: 1, startedAt: 2, finishedAt: 3, restartCount: 0 }, []],
  ]
  for (const [name, container, status, wanted] of table)
    test(name, () => assert.deepEqual(wantedProbes(container, status), wanted))
})

/** What a probe does whose runs end so and take no time: when each began, whether it counted, and what it said then. */
function play(kind: ProbeKind, probe: Probe, outcomes: readonly ProbeOutcome[], from: Partial<typeof beginning> = {}) {
  let standing: ProbeStanding = firstStanding(kind, probe, { ...beginning, ...from })
  return outcomes.map((outcome) => {
    const { at, counts } = nextRun(standing)
    standing = probeAfter(standing, probe, { outcome, begunAt: at, counts })
    return [at, counts, standing.verdict]
  })
}

describe('when probes run', () => {
  test('readiness: early and often until the first success, whose failures do not count, then by the period', () => {
    const outcomes = ['failure', 'failure', 'failure', 'failure', 'failure', 'failure', 'success', 'success'] as const
    assert.deepEqual(play('readiness', { ...tcp, periodSeconds: 5 }, outcomes), [
      [50, false, 'failure'],
      [150, false, 'failure'],
      [350, false, 'failure'],
      [750, false, 'failure'],
      [1000, true, 'failure'],
      [2600, false, 'failure'],
      [5800, false, 'success'],
      [11_000, true, 'success'],
    ])
  })

  test('processes are not begun as often as connections', () => {
    const exec = { exec: { command: ['true'] }, periodSeconds: 2 }
    assert.deepEqual(
      play('readiness', exec, ['failure', 'failure', 'failure', 'failure']).map(([at]) => at),
      [400, 1000, 2600, 3000],
    )
  })

  test('a delay holds for early runs too', () => {
    const probe = { ...tcp, initialDelaySeconds: 3, periodSeconds: 10 }
    assert.deepEqual(
      play('readiness', probe, ['failure', 'failure', 'failure']).map(([at]) => at),
      [3000, 3100, 3300],
    )
    const later = play('readiness', probe, ['success', 'success'], { now: 100_000, ranMs: 2000 })
    assert.deepEqual(
      later.map(([at]) => at),
      [101_000, 111_000],
    )
  })

  test('liveness never runs early, nor at once', () => {
    assert.deepEqual(play('liveness', tcp, ['failure', 'failure', 'failure']), [
      [1000, true, 'success'],
      [11_000, true, 'success'],
      [21_000, true, 'failure'],
    ])
    assert.deepEqual(play('liveness', { ...tcp, initialDelaySeconds: 5 }, ['success'])[0]![0], 5000)
    const afterStartup = play('liveness', tcp, ['success', 'success'], { now: 500, ranMs: 60_000 })
    assert.deepEqual(
      afterStartup.map(([at]) => at),
      [500, 11_000],
      'at once when it has waited for startup, and then in step with the others',
    )
  })

  test('startup may fail as often as its threshold says, a period apart', () => {
    const probe = { ...tcp, periodSeconds: 1, failureThreshold: 2 }
    const failures = new Array<ProbeOutcome>(6).fill('failure')
    assert.deepEqual(play('startup', probe, failures), [
      [50, false, undefined],
      [150, false, undefined],
      [350, false, undefined],
      [750, false, undefined],
      [1000, true, undefined],
      [2000, true, 'failure'],
    ])
    assert.deepEqual(play('startup', probe, ['failure', 'success']), [
      [50, false, undefined],
      [150, false, 'success'],
    ])
  })

  test('what an earlier daemon has started is probed within a period, and goes on with what was known', () => {
    for (let i = 0; i < 100; i++) {
      const from = { now: 5000, ranMs: 60_000, isAdopted: true, isReady: true }
      const [first] = play('readiness', tcp, ['failure'], from)
      assert.ok((first![0] as number) >= 5000 && (first![0] as number) <= 15_000)
      assert.deepEqual(first!.slice(1), [true, 'success'])
    }
    const young = { now: 0, ranMs: 1000, isAdopted: true }
    assert.ok((play('liveness', { ...tcp, initialDelaySeconds: 60 }, ['success'], young)[0]![0] as number) >= 59_000)
  })
})

test('thresholds count what comes in a row, as kubelet counts; what could not be asked counts neither way', () => {
  const outcome = fc.constantFrom<ProbeOutcome>('success', 'failure', 'error')
  const threshold = fc.integer({ min: 1, max: 4 })
  fc.assert(
    fc.property(fc.array(outcome), threshold, threshold, (outcomes, successThreshold, failureThreshold) => {
      const probe = { ...tcp, successThreshold, failureThreshold }
      const standing = firstStanding('liveness', probe, beginning)
      const end = outcomes.reduce<ProbeStanding>(
        (before, outcome, begunAt) => probeAfter(before, probe, { outcome, begunAt, counts: true }),
        standing,
      )
      assert.equal(end.verdict, kubelet(outcomes, successThreshold, failureThreshold))
    }),
  )
})

/** Said in another way: the last outcome that came often enough in a row decides. */
function kubelet(outcomes: readonly ProbeOutcome[], successes: number, failures: number): string {
  const letters = outcomes
    .filter((outcome) => outcome !== 'error')
    .map((outcome) => outcome[0])
    .join('')
  const runs = letters.match(/s+|f+/g) ?? []
  const decisive = runs.findLast((run) => run.length >= (run[0] === 's' ? successes : failures))
  return decisive === undefined || decisive[0] === 's' ? 'success' : 'failure'
}

describe('stateAfter()', () => {
  const message = 'refused'
  const startup: PodContainer = { name: 'c', startupProbe: tcp }
  const both: PodContainer = { name: 'c', startupProbe: tcp, readinessProbe: tcp }
  const plain: PodContainer = { name: 'c', livenessProbe: tcp }
  const ready: PodContainer = { name: 'c', readinessProbe: tcp }
  type Row = [string, PodContainer, ProbeState | undefined, ProbeKind, 'success' | 'failure', ProbeState]
  const table: Row[] = [
    ['without a readiness probe: ready once started', startup, undefined, 'startup', 'success', state(true, true)],
    ['with one: not ready yet', both, undefined, 'startup', 'success', state(true, false)],
    ['a failed startup', both, undefined, 'startup', 'failure', { ...state(false, false), failed: 'startup', message }],
    ['ready', ready, undefined, 'readiness', 'success', state(true, true)],
    ['unready', ready, state(true, true), 'readiness', 'failure', state(true, false)],
    [
      'a failed liveness leaves the rest',
      plain,
      undefined,
      'liveness',
      'failure',
      { ...state(true, true), failed: 'liveness', message },
    ],
    [
      'what has failed stays so',
      ready,
      { ...state(true, true), failed: 'liveness', message },
      'readiness',
      'failure',
      { ...state(true, false), failed: 'liveness', message },
    ],
  ]
  for (const [name, container, before, kind, verdict, after] of table)
    test(name, () => assert.deepEqual(stateAfter(container, before, { kind, verdict, message }), after))

  function state(started: boolean, ready: boolean): ProbeState {
    return { started, ready }
  }
})
