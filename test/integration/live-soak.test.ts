import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIds, processStat } from '../../src/linux/process.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { wsClient } from '../support/ws-client.ts'

runInOwnNamespaces(import.meta.filename)

const EXECS = 5000
const WARM_UP = 1000
const PARALLEL = 8
/** What 4,000 more may add. Their records are kept for five minutes, 2 KB each; a leak of any stream is 16 KB an exec. */
const GROWTH_MB = 24

let fixture: DaemonFixture

before(async () => {
  fixture = await daemonFixture()
})
after(() => fixture[Symbol.asyncDispose]())

test('5,000 execs leave no memory, descriptor or process behind', async (t) => {
  const id = await runContainer(fixture, { command: ['sleep', '100000'] })
  await runExecs(id, 0, WARM_UP)
  const before = await settled()
  await runExecs(id, WARM_UP, EXECS)
  const now = await settled()
  t.diagnostic(`RSS ${before.rssMb} to ${now.rssMb} MB, descriptors ${before.descriptors} to ${now.descriptors}`)
  assert.ok(now.descriptors <= before.descriptors, `${now.descriptors} descriptors, ${before.descriptors} before`)
  assert.deepEqual(now.children, before.children)
  assert.ok(now.rssMb < before.rssMb + GROWTH_MB, `RSS went from ${before.rssMb} to ${now.rssMb} MB`)
  const left = await fixture.daemon.api.post(`/v1/containers/${id}/actions/exec`, { command: ['ps'], wait: true })
  assert.deepEqual(
    left.json.data.stdout
      .split('\n')
      .slice(1, -1)
      .map((line: string) => line.trim().split(/ +/).slice(2).join(' ')),
    ['sleep 100000', 'ps'],
  )
  await fixture.clear()
})

async function runExecs(id: string, from: number, to: number): Promise<void> {
  let next = from
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < to) await runExec(id, next++)
    }),
  )
}

/** Of six, two with a terminal, one with input, one whose client goes, and two that are waited for by a plain request. */
async function runExec(id: string, index: number): Promise<void> {
  const { api } = fixture.daemon
  const kind = index % 6
  if (kind >= 4) {
    const { json } = await api.post(`/v1/containers/${id}/actions/exec`, { command: ['echo', 'x'], wait: true })
    assert.equal(json.data.stdout, 'x\n')
    return
  }
  const tty = kind < 2
  const body = { command: kind === 3 ? ['cat'] : ['head', '-c', '2'], tty, stdin: true }
  const created = await api.post(`/v1/containers/${id}/exec`, body)
  assert.equal(created.status, 201, created.text)
  using client = await wsClient(
    join(fixture.home.run, 'condenser.sock'),
    `/v1/execs/${created.json.data.execId}/streams`,
  )
  if (kind === 3) return
  client.type('hi\n')
  await client.closed
  assert.equal(client.exitCode(), 0)
  assert.match(client.stdout(), /hi/)
}

interface Held {
  readonly rssMb: number
  readonly descriptors: number
  /** Of the daemon; what an exec has left would be one, dead or alive. */
  readonly children: readonly string[]
}

/** What the daemon holds when it has had time to let go. */
async function settled(): Promise<Held> {
  let held = look()
  for (let tries = 0; tries < 100; tries++) {
    await sleep(100)
    const again = look()
    if (again.descriptors >= held.descriptors && again.children.length >= held.children.length && tries > 20) break
    held = again
  }
  return held
}

function look(): Held {
  const { pid } = fixture.daemon
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const children = processIds().filter((child) => processStat(child)?.parent === pid)
  return {
    rssMb: Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    children: children.map((child) => `${child} ${processStat(child)?.isZombie ? 'zombie' : 'alive'}`),
  }
}
