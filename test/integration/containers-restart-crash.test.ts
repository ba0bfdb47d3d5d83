import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { followEvents } from '../support/event-stream.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const NAME = 'victim'
/** Fails once, when it is told to; then it runs. */
const ONCE = ['sh', '-c', '[ -e /ran ] && exec sleep 1000; touch /ran; until [ -e /go ]; do sleep 0.02; done; exit 3']

describe('a daemon killed with SIGKILL at any point of a restart by policy', () => {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api
  const inspect = async () => (await api().get(`/v1/containers/${NAME}/inspect`)).json.data
  const letGo = async () => writeFileSync(`/proc/${(await inspect()).status.pid}/root/go`, '')
  const startVictim = () =>
    runContainer(fixture, { name: NAME, restart: 'on-failure', command: ONCE, port: ['127.0.0.1:18091:80'] })
  /** Its second start is told of. */
  const restarted = async () => {
    using events = await followEvents(fixture.home, `since=1h&filter=container=${(await inspect()).metadata.uid}`)
    await events.until(({ action }) => action === 'die')
    await events.until(({ action }) => action === 'start')
  }
  const linesOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [])

  before(async () => {
    fixture = await daemonFixture()
  })
  after(() => fixture[Symbol.asyncDispose]())

  /** What it passes from the end of the process to its second start, as `name:hit` of the daemon's whole life. */
  async function points(): Promise<string[]> {
    const trace = join(fixture.home.root, '..', 'trace')
    rmSync(trace, { force: true })
    await fixture.restart({ env: { CONDENSER_FAILPOINT_LOG: trace } })
    await startVictim()
    const before = linesOf(trace)
    await letGo()
    await restarted()
    const all = linesOf(trace)
    await fixture.clear()
    const named = all.map((name, index) => `${name}:${all.slice(0, index + 1).filter((one) => one === name).length}`)
    return named.slice(before.length)
  }

  test('it is restarted by the next daemon, once, and nothing leaks', async (t) => {
    const found = await points()
    assert.ok(
      found.some((point) => point.startsWith('restart.start')),
      found.join(),
    )
    for (const point of found)
      await t.test(`killed at ${point}`, async () => {
        await fixture.restart({ env: { CONDENSER_FAILPOINT: point } })
        await startVictim()
        await letGo()
        // What is left to the background may pass a point in another order than in the trace, or not at all.
        await Promise.race([fixture.daemon.ended, restarted().catch(() => {})])
        await fixture.daemon.kill()
        await fixture.restart({})
        await restarted()
        const { state, status } = await inspect()
        assert.equal(state, 'running')
        assert.ok(status.restartCount >= 1 && status.restartCount <= 2, `restarted ${status.restartCount} times`)
        assert.equal(status.nextRestartAt, undefined)
        await fixture.clear()
      })
  })

  test('killed before it ends an unhealthy container: the next daemon does', async () => {
    await fixture.restart({ env: { CONDENSER_FAILPOINT: 'restart.unhealthy' } })
    const healthcheck = { test: ['CMD', 'test', '!', '-e', '/go'], interval: '50ms', retries: 1 }
    await runContainer(fixture, { name: NAME, command: ['sleep', '1000'], healthcheck, restartUnhealthy: true })
    await letGo()
    await fixture.daemon.ended
    await fixture.restart({})
    await restarted()
    await fixture.clear()
  })
})
