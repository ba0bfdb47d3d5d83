/** Kills a daemon with SIGKILL at every failpoint that an operation passes. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { assertAgreement } from './agreement.ts'
import type { ApiClient } from './api-client.ts'
import type { DaemonFixture } from './daemon-fixture.ts'

export interface CrashOperation {
  readonly name: string
  /** Points that it passes in any case: what is not passed is not tested. */
  readonly passes?: readonly string[]
  /** Each point where it is passed first only: others try what it does again and again. */
  readonly firstOnly?: true
  /** Brings the daemon to where the operation begins. */
  prepare(api: ApiClient): Promise<void>
  run(api: ApiClient): Promise<unknown>
  /** After a crash and a restart: all is whole or undone, usable, and nothing else was touched. */
  verify(api: ApiClient): Promise<void>
  /** Takes away what it and `prepare` have made, as far as it is there. */
  clear(api: ApiClient): Promise<void>
}

/** A subtest for every point of the operation, on a daemon that runs again after each. */
export async function killAtEveryPoint(
  t: TestContext,
  fixture: DaemonFixture,
  operation: CrashOperation,
): Promise<void> {
  const api = () => fixture.daemon.api
  for (const point of await pointsOf(fixture, operation))
    await t.test(`killed at ${point}`, async (t) => {
      await operation.prepare(api())
      // Work that is shared or left to the background may pass a point in another order than in the trace.
      if (await diesAtBoot(fixture, point)) t.diagnostic(`${point} was passed at boot; killed there`)
      else {
        const answer = await operation.run(api()).catch(() => undefined)
        if (answer !== undefined) t.diagnostic(`${point} was not passed before the answer; killed after it`)
        await fixture.daemon.kill()
      }
      await fixture.restart({})
      try {
        await operation.verify(api())
        await assertAgreement(api())
      } catch (error) {
        t.diagnostic(fixture.daemon.log())
        throw error
      }
      await operation.clear(api())
    })
}

/** Starts the daemon that is to die at a point; true if it did so before it was ready. */
async function diesAtBoot(fixture: DaemonFixture, point: string): Promise<boolean> {
  try {
    await fixture.restart({ env: { CONDENSER_FAILPOINT: point } })
    return false
  } catch (error) {
    if (/ended with SIGKILL/.test((error as Error).message)) return true
    throw error
  }
}

/** Every failpoint that the operation passes, as `name:hit`, the daemon's boot counted in. */
async function pointsOf(fixture: DaemonFixture, operation: CrashOperation): Promise<string[]> {
  await operation.prepare(fixture.daemon.api)
  const trace = join(fixture.home.root, '..', 'trace')
  rmSync(trace, { force: true })
  const { api } = await fixture.restart({ env: { CONDENSER_FAILPOINT_LOG: trace } })
  const atBoot = linesOf(trace)
  rmSync(trace, { force: true })
  await operation.run(api)
  const passed = linesOf(trace)
  for (const name of operation.passes ?? []) assert.ok(passed.includes(name), `${name} is passed, of ${passed}`)
  await operation.clear(api)
  await fixture.restart({})
  const count = (lines: readonly string[], name: string) => lines.filter((line) => line === name).length
  const chosen = operation.firstOnly ? [...new Set(passed)] : passed
  return chosen.map((name, index) => `${name}:${count(atBoot, name) + count(chosen.slice(0, index + 1), name)}`)
}

function linesOf(file: string): string[] {
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : []
}

/** A web server that has just begun takes a moment to listen. */
export async function answers(url: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const { status } = await fetch(url, { signal: AbortSignal.timeout(2000) })
      assert.equal(status, 200)
      return
    } catch (error) {
      if (tries === 300) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
