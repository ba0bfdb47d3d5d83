import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Container, ContainerStatus } from '../../model/container.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import { EVICTION, outcomeOf } from '../../model/kube/pod-run.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { nextStep, type PodStep } from './plan.ts'

const SECOND = 1000

/** A pod and its containers without a kernel: takes the steps that are planned, at a time of its own. */
class World {
  pod: Pod
  containers: Container[] = []
  holds = new Map<string, number>()
  now = 1_000_000
  isForgotten = false
  /** Programs end well when they are asked to. */
  obeys = false
  readonly started: { name: string; attempt: number; sandbox: string; at: number }[] = []
  #made = 0

  constructor(spec: Partial<PodSpec> & Pick<PodSpec, 'containers'>) {
    const metadata = {
      namespace: 'default',
      name: 'web',
      uid: 'pod-uid',
      resourceVersion: 1,
      generation: 1,
      labels: {},
      annotations: {},
      createdAt: 0,
    }
    const startTime = new Date(this.now).toISOString()
    this.pod = {
      metadata,
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, ...spec },
      status: { phase: 'Pending', startTime },
    }
  }

  step(): PodStep {
    return nextStep({ pod: this.pod, containers: this.containers, holds: this.holds, now: this.now })
  }

  /** Until there is nothing to do now; returns the last step. */
  settle(): PodStep {
    for (let steps = 0; steps < 100; steps++) {
      const outcome = outcomeOf(this.pod, this.containers, this.now)
      if (outcome !== undefined) this.pod = { ...this.pod, status: { ...this.pod.status, ...outcome } }
      const step = this.step()
      if (step.do === 'wait' || step.do === 'forget') {
        this.isForgotten = step.do === 'forget'
        return step
      }
      this.#take(step)
    }
    throw new Error('the pod does not settle')
  }

  /** Settles, and lets the time pass that the pod waits for, so often. */
  pass(times: number): void {
    for (let count = 0; count < times; count++) {
      const step = this.settle()
      if (step.do !== 'wait' || step.untilMs === Number.POSITIVE_INFINITY) return
      assert.ok(step.untilMs > this.now, 'a pod that waits for nothing spins')
      this.now = step.untilMs
    }
    this.settle()
  }

  end(name: string, exitCode: number): void {
    this.#update(this.running(name)!, {
      pid: undefined,
      finishedAt: this.now,
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
    })
  }

  probes(name: string, probes: ContainerStatus['probes']): void {
    this.#update(this.running(name)!, { probes })
  }

  running(name: string): Container | undefined {
    return this.containers.find(({ spec, status }) => spec.pod!.name === name && status.pid !== undefined)
  }

  get names(): string[] {
    return this.containers.filter(({ status }) => status.pid !== undefined).map(({ spec }) => spec.pod!.name || 'POD')
  }

  delete(): void {
    this.pod = { ...this.pod, metadata: { ...this.pod.metadata, deletedAt: this.now } }
  }

  stop(stopped: boolean): void {
    const { stopped: _, ...spec } = this.pod.spec
    this.pod = { ...this.pod, spec: stopped ? { ...spec, stopped } : spec }
  }

  setImage(name: string, image: string): void {
    const change = (all: PodSpec['containers'] = []) => all.map((one) => (one.name === name ? { ...one, image } : one))
    const { containers, initContainers } = this.pod.spec
    const spec = { ...this.pod.spec, containers: change(containers), initContainers: change(initContainers) }
    this.pod = { ...this.pod, spec }
  }

  #take(step: PodStep): void {
    switch (step.do) {
      case 'kill':
        for (const { container, isToRunAgain } of step.kills) {
          assert.ok(this.containers.includes(container))
          const { exitCode, reason } = this.obeys
            ? { exitCode: 0, reason: 'Completed' }
            : { exitCode: 137, reason: 'Error' }
          const again = isToRunAgain && { isToRunAgain }
          this.#update(container, { pid: undefined, finishedAt: this.now, exitCode, reason, ...again })
        }
        return
      case 'remove':
        this.#remove(step.containers)
        return
      case 'run-sandbox':
        this.#remove(step.replaces)
        this.#make('', 'infra', { ...step.next, sandboxId: `sandbox-${this.#made}` })
        return
      case 'start':
        for (const { container, role, replaces, attempt, restartDelayMs } of step.starts) {
          this.#remove(replaces)
          const image = container.image!
          this.#make(container.name, role, { attempt, restartDelayMs, image, sandboxId: step.infra.spec.sandboxId })
        }
    }
  }

  #make(
    name: string,
    role: 'infra' | 'init' | 'main',
    { sandboxId, ...next }: { attempt: number; restartDelayMs: number; sandboxId: string; image?: string },
  ): void {
    assert.equal(this.running(name), undefined, `a second "${name}" is started`)
    if (role !== 'infra') {
      assert.equal(this.running('')?.spec.sandboxId, sandboxId, `"${name}" is started without its sandbox`)
      this.started.push({ name, attempt: next.attempt, sandbox: sandboxId, at: this.now })
    }
    const uid = String(++this.#made)
    this.containers.push({
      metadata: { ...this.pod.metadata, uid, name: uid },
      spec: { sandboxId, pod: { role, name, ...next } } as Container['spec'],
      status: { preparedAt: 1, pid: this.#made, startedAt: this.now, restartCount: 0 },
    })
  }

  #remove(gone: readonly Container[]): void {
    this.containers = this.containers.filter((container) => !gone.includes(container))
  }

  #update(container: Container, status: Partial<ContainerStatus>): void {
    this.containers = this.containers.map((one) =>
      one === container ? { ...one, status: { ...one.status, ...status } } : one,
    )
  }
}

const container = (name: string, more: object = {}) => ({ name, image: 'sample', ...more })

describe('a pod', () => {
  test('gets its sandbox, its init containers one after the other, then all others at once', () => {
    const world = new World({
      containers: [container('a'), container('b')],
      initContainers: [container('first'), container('second')],
    })
    world.settle()
    assert.deepEqual(world.names, ['POD', 'first'])
    world.end('first', 0)
    world.settle()
    assert.deepEqual(world.names, ['POD', 'second'])
    world.end('second', 0)
    assert.deepEqual(world.settle(), { do: 'wait', untilMs: Number.POSITIVE_INFINITY })
    assert.deepEqual(world.names, ['POD', 'a', 'b'])
  })

  test('has a sidecar begin before what comes after it, and restarts it beside the others', () => {
    const world = new World({
      containers: [container('main')],
      initContainers: [container('proxy', { restartPolicy: 'Always', startupProbe: {} }), container('prepare')],
    })
    world.settle()
    assert.deepEqual(world.names, ['POD', 'proxy'])
    world.probes('proxy', { started: true, ready: true })
    world.settle()
    assert.deepEqual(world.names, ['POD', 'proxy', 'prepare'])
    world.end('prepare', 0)
    world.settle()
    assert.deepEqual(world.names, ['POD', 'proxy', 'main'])
    world.end('proxy', 1)
    world.settle()
    assert.deepEqual(world.names.toSorted(), ['POD', 'main', 'proxy'])
  })

  test('waits longer after each end of a container: 0, 10, 20, 40 ... 300 s, and not at all once it has settled', () => {
    const world = new World({ containers: [container('main')] })
    world.settle()
    const waits = Array.from({ length: 8 }, () => {
      world.end('main', 1)
      const endedAt = world.now
      world.pass(1)
      world.settle()
      return (world.now - endedAt) / SECOND
    })
    assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300])
    world.now += 600 * SECOND
    world.end('main', 1)
    world.settle()
    assert.deepEqual(world.names, ['POD', 'main'])
  })

  test('keeps the record of the attempt before, and no older one', () => {
    const world = new World({ containers: [container('main')] })
    world.settle()
    for (let count = 0; count < 4; count++) {
      world.end('main', 1)
      world.pass(1)
      world.settle()
    }
    assert.deepEqual(
      world.containers.filter(({ spec }) => spec.pod!.name === 'main').map(({ spec }) => spec.pod!.attempt),
      [3, 4],
    )
  })

  test('whose sandbox has ended gets a new one, with its init containers run anew and all its members', () => {
    const world = new World({ containers: [container('main')], initContainers: [container('prepare')] })
    world.settle()
    world.end('prepare', 0)
    world.settle()
    const [before] = world.started.slice(-1)
    world.end('', 137)
    world.settle()
    assert.deepEqual(world.names, ['POD', 'prepare'])
    world.end('prepare', 0)
    world.settle()
    assert.deepEqual(world.names, ['POD', 'main'])
    assert.notEqual(world.started.at(-1)!.sandbox, before!.sandbox)
    assert.equal(world.started.at(-1)!.attempt, 1)
  })

  test('that never restarts is over when its sandbox has ended', () => {
    const world = new World({ containers: [container('main')], restartPolicy: 'Never' })
    world.settle()
    world.end('', 137)
    world.settle()
    assert.equal(world.pod.status.phase, 'Failed')
    assert.deepEqual(world.names, [])
  })

  const endings = [
    { restartPolicy: 'Never', exitCode: 0, phase: 'Succeeded', runs: [] },
    { restartPolicy: 'Never', exitCode: 1, phase: 'Failed', runs: [] },
    { restartPolicy: 'OnFailure', exitCode: 0, phase: 'Succeeded', runs: [] },
    { restartPolicy: 'OnFailure', exitCode: 1, phase: 'Pending', runs: ['POD', 'main'] },
    { restartPolicy: 'Always', exitCode: 0, phase: 'Pending', runs: ['POD', 'main'] },
  ] as const
  for (const { restartPolicy, exitCode, phase, runs } of endings) {
    test(`with restartPolicy ${restartPolicy} whose container exits with ${exitCode} is ${phase}`, () => {
      const world = new World({ containers: [container('main')], restartPolicy })
      world.settle()
      world.end('main', exitCode)
      world.settle()
      assert.equal(world.pod.status.phase, phase)
      assert.deepEqual(world.names, runs)
    })
  }

  test('fails with its init container if that is not run again', () => {
    const world = new World({
      containers: [container('main')],
      initContainers: [container('prepare')],
      restartPolicy: 'Never',
    })
    world.settle()
    world.end('prepare', 3)
    world.settle()
    assert.equal(world.pod.status.phase, 'Failed')
    assert.ok(!world.started.some(({ name }) => name === 'main'))
  })

  test('that has been active for too long is ended for good', () => {
    const world = new World({ containers: [container('main')], activeDeadlineSeconds: 60 })
    const step = world.settle()
    assert.deepEqual(step, { do: 'wait', untilMs: world.now + 60 * SECOND })
    world.now += 60 * SECOND
    world.settle()
    assert.equal(world.pod.status.reason, 'DeadlineExceeded')
    assert.deepEqual(world.names, [])
  })

  test('that is evicted is ended at once, whatever time it asks for, and for good', () => {
    const world = new World({ containers: [container('main')], terminationGracePeriodSeconds: 600 })
    world.settle()
    world.pod = { ...world.pod, status: { ...world.pod.status, conditions: [{ ...EVICTION, message: 'too much' }] } }
    const step = world.step()
    assert.equal(step.do, 'kill')
    assert.deepEqual(
      step.kills.map(({ graceMs, reason }) => [graceMs, reason]),
      [[SECOND, 'the pod is evicted']],
    )
    world.settle()
    assert.deepEqual(world.names, [])
    const { phase, reason, message } = world.pod.status
    assert.deepEqual([phase, reason, message], ['Failed', 'Evicted', 'too much'])
  })

  test('ends a container whose probe has failed, within the time of the probe, and makes it anew', () => {
    const world = new World({
      containers: [container('main', { livenessProbe: { terminationGracePeriodSeconds: 5 } }), container('other')],
    })
    world.settle()
    world.probes('main', { started: true, ready: false, failed: 'liveness', message: 'HTTP 500' })
    const step = world.step()
    assert.equal(step.do, 'kill')
    assert.deepEqual(
      step.do === 'kill' && step.kills.map(({ container, ...kill }) => ({ ...kill, name: container.spec.pod!.name })),
      [{ name: 'main', graceMs: 5000, reason: 'it failed its liveness probe: HTTP 500' }],
    )
    world.settle()
    assert.deepEqual(world.names, ['POD', 'other', 'main'])
  })

  test('that is stopped keeps its records and nothing that runs, and goes on without a delay', () => {
    const world = new World({ containers: [container('main')] })
    world.settle()
    world.stop(true)
    assert.deepEqual(world.settle(), { do: 'wait', untilMs: Number.POSITIVE_INFINITY })
    assert.deepEqual(world.names, [])
    assert.equal(world.containers.length, 1)
    world.stop(false)
    world.settle()
    assert.deepEqual(world.names, ['POD', 'main'])
    world.end('main', 1)
    world.settle()
    assert.deepEqual(world.names, ['POD', 'main'], 'a stop is no failure')
  })

  for (const restartPolicy of ['Never', 'OnFailure', 'Always'] as const) {
    for (const obeys of [true, false]) {
      test(`with restartPolicy ${restartPolicy} that is stopped runs again what ran (${obeys ? 'exit 0' : 'killed'})`, () => {
        const world = new World({ containers: [container('a'), container('b')], restartPolicy })
        world.obeys = obeys
        world.settle()
        if (restartPolicy !== 'Always') world.end('b', 0)
        world.settle()
        world.stop(true)
        world.settle()
        assert.deepEqual([world.names, world.pod.status.phase], [[], 'Pending'])
        world.stop(false)
        world.settle()
        assert.deepEqual(world.names, restartPolicy === 'Always' ? ['POD', 'a', 'b'] : ['POD', 'a'])
        world.end('a', 0)
        world.settle()
        assert.equal(world.pod.status.phase, restartPolicy === 'Always' ? 'Pending' : 'Succeeded')
      })
    }
  }

  test('that has completed by itself stays so when it is stopped and started', () => {
    const world = new World({ containers: [container('main')], restartPolicy: 'OnFailure' })
    world.settle()
    world.end('main', 0)
    world.settle()
    for (const stopped of [true, false]) {
      world.stop(stopped)
      world.settle()
      assert.deepEqual([world.names, world.pod.status.phase], [[], 'Succeeded'])
    }
  })

  for (const restartPolicy of ['Never', 'Always'] as const) {
    test(`has a container whose image changes made anew, in place (restartPolicy ${restartPolicy})`, () => {
      const sidecar = container('side', { restartPolicy: 'Always' })
      const spec = { containers: [container('main'), container('other')], initContainers: [sidecar], restartPolicy }
      const world = new World(spec)
      world.settle()
      const before = world.started.length
      for (const name of ['main', 'side']) world.setImage(name, 'new')
      const step = world.step()
      assert.ok(step.do === 'kill' && step.kills.every(({ graceMs }) => graceMs === 30 * SECOND))
      world.settle()
      const sandbox = world.running('')!.spec.sandboxId
      assert.deepEqual(
        world.started.slice(before),
        ['side', 'main'].map((name) => ({ name, attempt: 1, sandbox, at: world.now })),
      )
      assert.equal(world.running('main')!.spec.pod!.image, 'new')
    })
  }

  test('does not wait with a new image for what the old one has failed', () => {
    const world = new World({ containers: [container('main')] })
    world.settle()
    for (let count = 0; count < 3; count++) {
      world.end('main', 1)
      world.pass(1)
      world.settle()
    }
    world.end('main', 1)
    assert.equal(world.settle().do, 'wait')
    world.setImage('main', 'new')
    world.settle()
    assert.deepEqual(world.names, ['POD', 'main'])
    world.end('main', 1)
    world.settle()
    assert.deepEqual(world.names, ['POD', 'main'], 'its first failure is waited for')
  })

  test('runs no container again for its image that has ended for good, nor an init container that runs', () => {
    const world = new World({
      containers: [container('a'), container('b')],
      initContainers: [container('prepare')],
      restartPolicy: 'Never',
    })
    world.settle()
    world.setImage('prepare', 'new')
    world.settle()
    assert.equal(world.started.length, 1)
    world.end('prepare', 0)
    world.settle()
    world.end('a', 0)
    world.setImage('a', 'new')
    world.settle()
    assert.deepEqual(world.names, ['POD', 'b'])
  })

  test('waits with a container that cannot be made, and with no other', () => {
    const world = new World({ containers: [container('main'), container('other')] })
    world.holds.set('main', world.now + 10 * SECOND)
    assert.deepEqual(world.settle(), { do: 'wait', untilMs: world.now + 10 * SECOND })
    assert.deepEqual(world.names, ['POD', 'other'])
  })

  test('that is deleted is ended in its time, then all of it goes', () => {
    const world = new World({ containers: [container('main')], terminationGracePeriodSeconds: 7 })
    world.settle()
    world.delete()
    const step = world.step()
    assert.ok(step.do === 'kill' && step.kills.every(({ graceMs }) => graceMs === 7000))
    world.settle()
    assert.ok(world.isForgotten)
    assert.deepEqual(world.containers, [])
  })
})

test('whatever happens to its containers, a pod settles, breaks no rule, and goes when it is deleted', () => {
  const spec = fc.record({
    restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never') as fc.Arbitrary<PodSpec['restartPolicy']>,
    containers: fc.constantFrom([container('a')], [container('a'), container('b')]),
    initContainers: fc.constantFrom(
      [],
      [container('init')],
      [container('init'), container('side', { restartPolicy: 'Always' }), container('last')],
    ),
  })
  const happening = fc.oneof(
    fc.record({ end: fc.constantFrom('a', 'b', 'init', 'side', 'last', ''), exitCode: fc.constantFrom(0, 1) }),
    fc.record({ fail: fc.constantFrom('a', 'b') }),
    fc.record({ pass: fc.constantFrom(1, 3) }),
    fc.record({ stop: fc.boolean() }),
    fc.record({ image: fc.constantFrom('a', 'b', 'init', 'side'), to: fc.constantFrom('sample', 'new') }),
  )
  fc.assert(
    fc.property(spec, fc.array(happening, { maxLength: 25 }), (spec, happenings) => {
      const world = new World(spec)
      world.settle()
      for (const happening of happenings) {
        if ('end' in happening && world.running(happening.end)) world.end(happening.end, happening.exitCode)
        if ('fail' in happening && world.running(happening.fail)) {
          world.probes(happening.fail, { started: true, ready: false, failed: 'liveness' })
        }
        if ('stop' in happening) world.stop(happening.stop)
        if ('image' in happening) world.setImage(happening.image, happening.to)
        world.pass('pass' in happening ? happening.pass : 0)
        assertRules(world)
      }
      world.delete()
      world.settle()
      assert.ok(world.isForgotten)
    }),
    { numRuns: 300 },
  )
})

function assertRules({ pod, started, containers, names }: World): void {
  const inits = (pod.spec.initContainers ?? []).map(({ name }) => name)
  for (const [sandbox, starts] of Map.groupBy(started, (start) => start.sandbox)) {
    const firstMain = starts.findIndex(({ name }) => !inits.includes(name))
    if (firstMain < 0) continue
    const before = starts.slice(0, firstMain).map(({ name }) => name)
    assert.deepEqual(
      inits.filter((name) => !before.includes(name)),
      [],
      `containers of ${sandbox} have not waited for all init containers`,
    )
  }
  if (pod.spec.restartPolicy === 'Never') {
    for (const { spec, status } of containers) {
      if (!['a', 'b'].includes(spec.pod!.name) || status.pid !== undefined || status.isToRunAgain) continue
      const later = started.filter(({ name, attempt }) => name === spec.pod!.name && attempt > spec.pod!.attempt)
      assert.deepEqual(later, [], 'what has ended by itself has run again')
    }
  }
  for (const name of ['a', 'b', ...inits]) {
    assert.ok(containers.filter(({ spec }) => spec.pod!.name === name).length <= 2)
  }
  if (pod.spec.stopped || ['Succeeded', 'Failed'].includes(pod.status.phase)) assert.deepEqual(names, [])
}
