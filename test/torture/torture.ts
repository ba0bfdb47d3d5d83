import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertAgreement } from '../support/agreement.ts'
import { projectRoot } from '../support/daemon.ts'
import { daemonFixture } from '../support/daemon-fixture.ts'
import { followEvents } from '../support/event-stream.ts'
import { busyboxImage } from '../support/test-image.ts'
import { startWitness } from '../support/witness.ts'
import { Model } from './model.ts'
import { anyOperation } from './operations.ts'
import { type Random, randomOf } from './random.ts'

export interface TortureOptions {
  readonly seed: number
  readonly seconds: number
  readonly clients?: number
}

export interface TortureSummary {
  readonly seed: number
  readonly seconds: number
  readonly operations: Readonly<Record<string, number>>
  readonly kills: { readonly bySignal: number; readonly atPoints: number; readonly toldToEnd: number }
  readonly checks: number
  readonly events: number
  /** In words; empty if all held. */
  readonly faults: readonly string[]
}

/** No answer takes so long. */
const HUNG_MS = 60_000
/** Between two kills. */
const LIFE_MS = { least: 500, spread: 4000 }
/** After so many kills all rest, and what must hold is looked at. */
const KILLS_A_CHECK = 4

/**
 * Many clients that ask for anything on few names, while the daemon is killed with SIGKILL again and again, at
 * random moments and at random failpoints; and all that must hold of it.
 */
export async function torture({ seed, seconds, clients = 8 }: TortureOptions): Promise<TortureSummary> {
  const random = randomOf(seed)
  await using fixture = await daemonFixture({
    images: { second: busyboxImage({ layers: [[{ path: 'second', content: 'x' }]] }) },
  })
  await using witness = await startWitness(fixture, { ports: [18081, 18082] })
  const { api } = fixture.daemon
  const model = new Model()
  const faults: string[] = []
  const counts: Record<string, number> = {}
  const kills = { bySignal: 0, atPoints: 0, toldToEnd: 0 }
  const endAt = Date.now() + seconds * 1000
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1
  }
  const hasEnded = () => Date.now() > endAt || faults.length > 0
  const gate = new Gate()
  let checks = 0
  const images = [fixture.image, `${fixture.registry.host}/second`]
  const world = { api, model, images }

  const client = async (own: Random) => {
    while (!hasEnded()) {
      await gate.pass(async () => {
        try {
          const { name, answer } = await within(HUNG_MS, anyOperation(world, own))
          const outcome = answer.status === 200 ? 'done' : answer.status < 500 ? 'refused' : 'failed'
          count(`${name}: ${outcome}`)
          // 507: there was no free port, or no free subnet.
          if (answer.status >= 500 && ![503, 507].includes(answer.status))
            faults.push(`${name}: ${explain(answer.text)}`)
        } catch (error) {
          if ((error as Error).message === 'hung') faults.push('an operation has hung')
          count('cut off')
          await sleep(20)
        }
      })
    }
  }

  const points = failpoints()
  const killer = async (own: Random) => {
    for (let lives = 1; !hasEnded(); lives++) {
      const point = own.chance(0.5) ? `${own.pick(points)}:${1 + own.int(20)}` : undefined
      await restart(point)
      const { ended } = fixture.daemon
      const died = await Promise.race([ended.then(() => true), sleep(LIFE_MS.least + own.int(LIFE_MS.spread), false)])
      if (died) kills.atPoints++
      else if (own.chance(0.25)) {
        kills.toldToEnd++
        await fixture.daemon.stop()
        const { code } = await ended
        if (code !== 0) faults.push(`a daemon that was told to end did so with ${code}`)
      } else {
        kills.bySignal++
        await fixture.daemon.kill()
      }
      if (lives % KILLS_A_CHECK !== 0) continue
      await restart()
      await gate.rest(check)
    }
    await fixture.daemon.kill()
    await restart()
  }

  /** What the last daemons have said, for who wants to know why something did not hold. */
  const logs: string[] = []
  const restart = async (point?: string) => {
    logs.push(fixture.daemon.log())
    if (logs.length > KILLS_A_CHECK + 1) logs.shift()
    try {
      await fixture.restart(point === undefined ? {} : { env: { CONDENSER_FAILPOINT: point } })
    } catch (error) {
      if (point === undefined || !/ended with SIGKILL/.test((error as Error).message)) throw error
      kills.atPoints++
      await fixture.restart({})
    }
  }

  const check = async () => {
    checks++
    faults.push(...(await model.faults(api, fixture.home)))
    for (const assertion of [() => assertAgreement(api), () => witness.assertUnharmed()]) {
      await assertion().catch((error) => faults.push(`${error.message}\n${logs.join('\n')}`))
    }
  }

  const events = followAll(fixture.home, hasEnded)
  await Promise.all([
    ...Array.from({ length: clients }, (_, i) => client(random.fork(`client ${i}`))),
    killer(random.fork('killer')),
  ])
  await check()
  const told = await events
  faults.push(...told.faults)
  await witness[Symbol.asyncDispose]()
  for (const name of ['tn0', 'tn1']) await api.delete(`/v1/networks/${name}/actions/delete`)
  await removeAll()
  await fixture.clear().catch((error) => faults.push(`leaked: ${error.message}`))
  return { seed, seconds, operations: counts, kills, checks, events: told.count, faults }

  /** With what the daemon's log has under the request. */
  function explain(text: string): string {
    const id = /under request ([\w-]+)/.exec(text)?.[1]
    const lines = fixture.daemon.log().split('\n')
    return [text.trim(), ...lines.filter((line) => id !== undefined && line.includes(`"${id}"`))].join('\n')
  }

  async function removeAll(): Promise<void> {
    for (const { containerId } of (await api.get('/v1/containers')).json.data ?? []) {
      await api.delete(`/v1/containers/${containerId}/actions/delete?force=true`)
    }
    for (const name of ['tn0', 'tn1']) await api.delete(`/v1/networks/${name}/actions/delete`)
  }
}

/** Lets many pass at a time, or nobody. */
class Gate {
  #inside = 0
  #closed: Promise<void> | undefined
  #emptied: (() => void) | undefined

  async pass(work: () => Promise<void>): Promise<void> {
    while (this.#closed !== undefined) await this.#closed
    this.#inside++
    try {
      await work()
    } finally {
      if (--this.#inside === 0) this.#emptied?.()
    }
  }

  /** Waits until nobody is inside any more. */
  async rest(work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#closed = promise
    if (this.#inside > 0) await new Promise<void>((empty) => (this.#emptied = empty))
    this.#emptied = undefined
    try {
      await work()
    } finally {
      this.#closed = undefined
      resolve()
    }
  }
}

/** Follows the events from daemon to daemon: their sequence has no gap, whenever one was killed. */
async function followAll(
  home: Parameters<typeof followEvents>[0],
  hasEnded: () => boolean,
): Promise<{ count: number; faults: string[] }> {
  const faults: string[] = []
  let last: number | undefined
  let count = 0
  while (!hasEnded()) {
    try {
      using stream = await followEvents(home, last === undefined ? '' : `since=${last}`)
      for (let next = stream.take(1); ; ) {
        const [event] = await Promise.race([next, sleep(1000, [])])
        if (event === undefined && hasEnded()) break
        if (event === undefined) continue
        next = stream.take(1)
        // Its end is met by the next turn, if there is one.
        next.catch(() => {})
        if (last !== undefined && event.sequence !== last + 1) faults.push(`event ${event.sequence} came after ${last}`)
        last = event.sequence
        count++
      }
    } catch {
      await sleep(20)
    }
  }
  return { count, faults }
}

/** Of everything that a daemon does; the names are literals. */
function failpoints(): string[] {
  const sources = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
  const found = sources
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('failpoint.ts'))
    .flatMap((file) => [...readFileSync(join(projectRoot, 'src', file), 'utf8').matchAll(/failpoint\('([a-z.-]+)'\)/g)])
    .map((match) => match[1]!)
  return [...new Set(found)].sort()
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController()
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error('hung')
  })
  late.catch(() => {})
  return await Promise.race([work, late]).finally(() => timer.abort())
}
