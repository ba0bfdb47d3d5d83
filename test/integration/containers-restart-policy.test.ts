import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, describe, test } from 'node:test'
import type { WireEvent } from '../../src/api/raind/index.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { followEvents } from '../support/event-stream.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const FAIL = ['sh', '-c', 'exit 3']
const SLEEP = ['sleep', '1000']

describe('restart policies', () => {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api
  const act = (ref: string, action: string, body?: object) =>
    api().post(`/v1/containers/${ref}/actions/${action}`, body)
  const succeed = async (ref: string, action: string, body?: object) => {
    const answer = await act(ref, action, body)
    assert.equal(answer.status, 200, `${action}: ${answer.text}`)
    return answer.json.data
  }
  const inspect = async (ref: string) => (await api().get(`/v1/containers/${ref}/inspect`)).json.data
  const remove = (ref: string, query = '') => api().delete(`/v1/containers/${ref}/actions/delete${query}`)
  const run = (name: string, restart: string, command: readonly string[], body: object = {}) =>
    runContainer(fixture, { name, restart, command, ...body })
  const follow = (query = '') => followEvents(fixture.home, query)
  const is =
    (action: string, name: string) =>
    (event: WireEvent): boolean =>
      event.action === action && event.name === name
  /** Until it has ended so often that its next restart is some seconds away. */
  const untilWaiting = async (ref: string) => {
    await eventually(
      () => inspect(ref),
      ({ status }) => status.restartDelayMs === 1600,
    )
    assert.equal((await inspect(ref)).state, 'restarting')
  }
  /** As if the host had been restarted: no process of it is left, and the boot has another id. */
  const reboot = async () => {
    const containers = (await api().get('/v1/containers')).json.data
    await fixture.daemon.stop()
    for (const { pid } of containers) if (pid > 0) process.kill(pid, 'SIGKILL')
    const database = new DatabaseSync(join(fixture.home.root, 'condenser.db'))
    database.exec(`UPDATE objects SET json = json_set(json, '$.status.bootId', 'another')
      WHERE kind = 'Container' AND json_extract(json, '$.status.bootId') IS NOT NULL`)
    database.close()
    await fixture.restart()
  }

  before(async () => {
    fixture = await daemonFixture()
  })
  afterEach(() => fixture.clear())
  after(() => fixture[Symbol.asyncDispose]())

  test('on-failure:2 is tried again twice, then stays; a start by a user begins anew', async () => {
    using events = await follow('filter=container=web')
    await run('web', 'on-failure:2', FAIL)
    const actions = (await events.take(7)).map(({ action }) => action)
    assert.deepEqual(actions, ['create', 'start', 'die', 'start', 'die', 'start', 'die'])
    const { state, status, spec } = await inspect('web')
    assert.deepEqual(
      [state, status.restartCount, status.exitCode, status.nextRestartAt, spec.restart],
      ['stopped', 2, 3, undefined, { name: 'on-failure', maxRetries: 2 }],
    )
    await succeed('web', 'start', {})
    assert.equal((await events.take(6)).length, 6)
    await run('good', 'on-failure', ['true'])
    await succeed('good', 'wait')
    assert.equal((await inspect('good')).state, 'stopped')
  })

  test('always: also what ends well; the delays double', async () => {
    using events = await follow('filter=container=web')
    await run('web', 'always', ['true'])
    for (let restarts = 0; restarts < 4; ) {
      await events.take(1)
      const { state, status } = await inspect('web')
      // The next one may have begun already.
      if (state !== 'restarting') continue
      restarts = status.restartCount
      assert.equal(status.restartDelayMs, 100 * 2 ** restarts)
      assert.equal(status.nextRestartAt, status.finishedAt + status.restartDelayMs)
    }
    const [listed] = (await api().get('/v1/containers?all=false')).json.data
    assert.deepEqual([listed.state, listed.pid, listed.exitCode], ['restarting', 0, 0])
  })

  for (const [verb, body] of [
    ['stop', undefined],
    ['kill', {}],
  ] as const)
    test(`${verb} takes back a restart that is due, and who waits is told`, async () => {
      await run('web', 'unless-stopped', FAIL)
      await untilWaiting('web')
      const waiting = act('web', 'wait')
      await succeed('web', verb, body)
      assert.equal((await waiting).json.data.exitCode, 3)
      const { state, status } = await inspect('web')
      assert.deepEqual([state, status.nextRestartAt], ['stopped', undefined])
      assert.equal((await act('web', verb, body)).status, 409)
      await fixture.restart()
      assert.equal((await inspect('web')).state, 'stopped')
    })

  test('remove wants force, and ends the waiting', async () => {
    await run('web', 'always', FAIL)
    await untilWaiting('web')
    const refused = await remove('web')
    assert.equal(refused.status, 409, refused.text)
    assert.match(refused.json.message, /it is restarting; stop it first/)
    const waiting = act('web', 'wait')
    assert.equal((await remove('web', '?force=true')).status, 200)
    assert.equal((await waiting).json.data.exitCode, 3)
    assert.equal((await api().get('/v1/containers/web')).status, 404)
  })

  test('start does not wait for the delay', async () => {
    const directory = mkdtempSync(join(fixture.home.root, '..', 'gate-'))
    const command = ['sh', '-c', '[ -e /gate/up ] && exec sleep 1000; exit 1']
    await run('web', 'always', command, { mount: [`${directory}:/gate`] })
    await untilWaiting('web')
    writeFileSync(join(directory, 'up'), '')
    await succeed('web', 'start', {})
    const { state, status } = await inspect('web')
    assert.deepEqual([state, status.restartCount, status.restartDelayMs], ['running', 0, undefined])
  })

  test('a policy can be changed, also while a restart is due', async () => {
    await run('web', 'always', FAIL)
    await untilWaiting('web')
    await succeed('web', 'update', { restart: 'no' })
    assert.equal((await inspect('web')).state, 'stopped')
    await succeed('web', 'update', { restart: 'on-failure:1', pids: 100 })
    using events = await follow('filter=container=web')
    await succeed('web', 'start', {})
    await events.take(4)
    const { state, status, spec } = await inspect('web')
    assert.deepEqual([state, status.restartCount, spec.resources.pids], ['stopped', 1, 100])
  })

  test('who kills the process from outside, or with another signal, does not stop it', async () => {
    using events = await follow('filter=container=web')
    const script = 'trap "exit 0" HUP; echo ready; while :; do sleep 0.02; done'
    await run('web', 'unless-stopped', ['sh', '-c', script])
    // Until the trap is set a signal is lost on process 1.
    const isReady = async (times: number) => {
      const log = async () => (await api().get('/v1/containers/web/log?tail_lines=10')).text
      await eventually(log, (text) => text.split('ready').length > times)
    }
    await isReady(1)
    const { pid } = (await inspect('web')).status
    assert.ok(pid > 0)
    process.kill(pid, 'SIGKILL')
    await events.until(is('die', 'web'))
    await events.until(is('start', 'web'))
    await isReady(2)
    await succeed('web', 'kill', { signal: 'HUP' })
    await events.until(is('die', 'web'))
    await events.until(is('start', 'web'))
    await succeed('web', 'kill', { signal: 'KILL' })
    await events.until(is('die', 'web'))
    assert.equal((await inspect('web')).state, 'stopped')
  })

  test('over a restart of the daemon, and of the host', async () => {
    for (const policy of ['no', 'on-failure', 'always', 'unless-stopped']) {
      await run(`${policy}-runs`, policy, SLEEP)
      await run(`${policy}-stopped`, policy, SLEEP)
      await succeed(`${policy}-stopped`, 'stop?signal=KILL')
    }
    await api().post('/v1/containers', { image: fixture.image, name: 'never-ran', restart: 'always' })
    const pids = async () =>
      Object.fromEntries(
        (await api().get('/v1/containers')).json.data.map((one: { name: string; pid: number }) => [one.name, one.pid]),
      )
    const before = await pids()
    await fixture.restart()
    {
      using events = await follow('since=1h&filter=container=always-stopped')
      for (let starts = 0; starts < 2; starts++) await events.until(is('start', 'always-stopped'))
    }
    const after = await pids()
    for (const policy of ['no', 'on-failure', 'always', 'unless-stopped'])
      assert.equal(after[`${policy}-runs`], before[`${policy}-runs`], `${policy} was not touched`)
    const running = (all: Record<string, number>) => Object.keys(all).filter((name) => all[name]! > 0)
    assert.deepEqual(running(after).sort(), [...running(before), 'always-stopped'].sort())
    await succeed('always-stopped', 'stop?signal=KILL')

    await reboot()
    const expected = ['always-runs', 'always-stopped', 'on-failure-runs', 'unless-stopped-runs']
    using events = await follow('since=1h&filter=event=start')
    for (const missing = new Set(expected); missing.size > 0; )
      for (const name of expected)
        if ((await inspect(name)).state === 'running') missing.delete(name)
        else await events.take(1)
    assert.deepEqual(running(await pids()).sort(), expected)
    assert.equal((await inspect('no-runs')).status.reason, 'HostRestarted')
  })

  test('what cannot be started is tried again, and says why', async () => {
    await run('web', 'always', SLEEP, { port: ['127.0.0.1:18090:80'] })
    await succeed('web', 'stop?signal=KILL')
    const server = createServer().listen(18_090, '127.0.0.1')
    await once(server, 'listening')
    await fixture.restart()
    const { status } = await eventually(
      () => inspect('web'),
      ({ status }) => status.restartCount >= 2,
    )
    assert.match(status.message, /18090/)
    assert.equal(status.reason, 'StartError')
    using started = await follow('filter=container=web&filter=event=start')
    server.close()
    await started.take(1)
    assert.equal((await inspect('web')).state, 'running')
  })

  test('what makes no sense is refused', async () => {
    for (const body of [{ restart: 'sometimes' }, { restart: 'always', autoRemove: true }]) {
      const answer = await api().post('/v1/containers', { image: fixture.image, ...body })
      assert.equal(answer.status, 400, answer.text)
    }
    await run('web', 'no', SLEEP, { autoRemove: true })
    assert.equal((await act('web', 'update', { restart: 'always' })).status, 400)
    assert.equal((await act('web', 'update', { restart: 'x' })).status, 400)
    assert.equal((await act('web', 'update', {})).status, 400)
  })
})
