import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { readTrace, SLOW_SYNCS, strace } from '../fixtures/strace.ts'
import { projectRoot } from '../support/daemon.ts'
import { type DaemonFixture, daemonFixture } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const SYNC_MS = 50
const SIDES = 4
const CREATES_PER_SIDE = 10

let fixture: DaemonFixture
const api = () => fixture.daemon.api

before(async () => {
  fixture = await daemonFixture()
})
after(() => fixture[Symbol.asyncDispose]())

async function timed(ask: () => Promise<{ status: number; text: string }>): Promise<number> {
  const begin = performance.now()
  const { status, text } = await ask()
  assert.equal(status, 200, text)
  return performance.now() - begin
}

/** Several at once, each one container after the other; what each took, removals not counted. */
async function createAndRemove(): Promise<number[]> {
  const side = async (_: unknown, number: number) => {
    const names = Array.from({ length: CREATES_PER_SIDE }, (_, index) => `slow-${number}-${index}`)
    const tookMs: number[] = []
    for (const name of names)
      tookMs.push(await timed(() => api().post('/v1/containers', { image: fixture.image, name })))
    for (const name of names) await timed(() => api().delete(`/v1/containers/${name}/actions/delete`))
    return tookMs
  }
  return (await Promise.all(Array.from({ length: SIDES }, side))).flat()
}

test('with a disk that takes 50 ms to sync, nothing is synced on the main thread, and all before it is acknowledged', async () => {
  const trace = join(dirname(fixture.home.root), 'trace')
  const traced = strace({ file: trace, calls: 'fsync,fdatasync,syncfs', inject: SLOW_SYNCS, detached: true })
  const { pid } = await fixture.restart({ command: [...traced, join(projectRoot, 'bin/condenser')] })
  const createMs = await createAndRemove()
  // Before the daemon ends: it closes its database on the main thread, when nobody is left to be answered.
  const syncs = readTrace(readFileSync(trace, 'utf8'))

  const onMainThread = syncs.filter(({ tid }) => tid === pid)
  assert.deepEqual(onMainThread, [], 'no sync on the main thread')
  const ofDatabase = syncs.filter(({ path }) => path.startsWith(join(fixture.home.root, 'condenser.db')))
  assert.ok(ofDatabase.length >= 2 * CREATES_PER_SIDE, `${ofDatabase.length} syncs of the database`)
  assert.ok(Math.min(...createMs) >= SYNC_MS, 'what was acknowledged had been synced')

  await fixture.restart({})
  await fixture.leakCheck()
})
