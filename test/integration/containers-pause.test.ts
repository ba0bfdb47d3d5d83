import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { optionsFixture } from '../support/options-fixture.ts'

runInOwnNamespaces(import.meta.filename)

/** Ends by itself on SIGTERM, with 7; writes a line each 20 ms. */
const COUNTER = [
  'sh',
  '-c',
  'trap "exit 7" TERM; trap "echo usr1" USR1; while :; do echo $((n = n + 1)) > /n; sleep 0.02; done',
]

for (const runtime of ['crun', 'runc'] as const)
  describe(`pause, restart and rename with ${runtime}`, () => {
    const the = optionsFixture(runtime)
    const act = async (ref: string, action: string, body?: object) => {
      const { status, json } = await the().api.post(`/v1/containers/${ref}/actions/${action}`, body)
      return { status, message: json.message as string }
    }
    const succeed = async (ref: string, action: string, body?: object) => {
      const { status, message } = await act(ref, action, body)
      assert.equal(status, 200, `${action}: ${message}`)
    }
    const refused = async (ref: string, action: string, pattern: RegExp, body?: object) => {
      const { status, message } = await act(ref, action, body)
      assert.equal(status, 409, `${action}: ${message}`)
      assert.match(message, pattern)
    }
    const stateOf = async (ref: string) => (await the().api.get(`/v1/containers/${ref}`)).json.data.state
    const runCounter = (body: object = {}) =>
      runContainer(the().fixture, { command: COUNTER, name: 'counter', ...body })
    /** How far the counter counts meanwhile. */
    const progress = async (pid: number) => {
      // It may not have begun yet.
      const file = `/proc/${pid}/root/n`
      const read = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0)
      const before = read()
      await new Promise((resolve) => setTimeout(resolve, 200))
      return read() - before
    }
    const counts = (pid: number) => eventually(() => progress(pid))

    test('a paused container stands still, and goes on', async () => {
      const { inspect } = the()
      await runCounter()
      await counts((await inspect('counter')).status.pid)
      await succeed('counter', 'pause')
      const { status, state } = await inspect('counter')
      assert.equal(state, 'paused')
      assert.ok(status.pausedAt >= status.startedAt)
      assert.equal(await progress(status.pid), 0)
      const { pid } = (await the().api.get('/v1/containers/counter')).json.data
      assert.equal(pid, status.pid)
      for (const filter of ['state=paused', 'all=false']) {
        assert.equal((await the().api.get(`/v1/containers?${filter}`)).json.data?.length, 1, filter)
      }
      await refused('counter', 'pause', /already paused/)
      await refused('counter', 'start', /it is paused; unpause it instead/, {})
      await refused('counter', 'exec', /it is paused; unpause it first/, { command: ['true'], wait: true })
      const removed = await the().api.delete('/v1/containers/counter/actions/delete')
      assert.equal(removed.status, 409, removed.text)
      assert.match(removed.json.message, /it is paused; stop it first/)

      await succeed('counter', 'unpause')
      assert.equal(await stateOf('counter'), 'running')
      await counts(status.pid)
      await refused('counter', 'unpause', /it is not paused/)
      await succeed('counter', 'stop')
      await refused('counter', 'pause', /it is stopped, not running/)
    })

    test('stop, kill, restart and forced removal reach a paused container', async () => {
      const { inspect, remove } = the()
      await runCounter()
      await counts((await inspect('counter')).status.pid)
      await succeed('counter', 'pause')
      await succeed('counter', 'stop')
      const { status, state } = await inspect('counter')
      assert.deepEqual([state, status.exitCode, status.pausedAt], ['stopped', 7, undefined])

      await succeed('counter', 'start', {})
      await succeed('counter', 'pause')
      await succeed('counter', 'kill', { signal: 'USR1' })
      assert.equal(await stateOf('counter'), 'paused', 'another signal waits')
      await succeed('counter', 'kill', {})
      await succeed('counter', 'wait')
      assert.equal((await inspect('counter')).status.exitCode, 137)

      await succeed('counter', 'start', {})
      await succeed('counter', 'pause')
      await succeed('counter', 'restart?timeout=0')
      assert.equal(await stateOf('counter'), 'running')
      await succeed('counter', 'pause')
      assert.equal(((await remove('counter')) as { status: number }).status, 200)
    })

    test('a daemon that comes back finds out who is paused', async () => {
      const { fixture } = the()
      const id = await runCounter()
      await counts((await the().inspect(id)).status.pid)
      await fixture.restart({ runtime, env: { CONDENSER_FAILPOINT: 'pause.record' } })
      await assert.rejects(act(id, 'pause'))
      await fixture.restart({ runtime })
      assert.equal(await stateOf(id), 'paused')
      await fixture.restart({ runtime, env: { CONDENSER_FAILPOINT: 'unpause.resume' } })
      await assert.rejects(act(id, 'unpause'))
      await fixture.restart({ runtime })
      assert.equal(await stateOf(id), 'paused')
      await succeed(id, 'unpause')
      await succeed(id, 'stop')
      assert.equal((await the().inspect(id)).status.exitCode, 7)
    })

    test('restart: a new process, the same container; also of one that does not run', async () => {
      const { inspect } = the()
      const id = await runCounter({ autoRemove: true })
      const { pid } = (await inspect(id)).status
      await succeed(id, 'restart')
      const { status } = await inspect(id)
      assert.notEqual(status.pid, pid)
      assert.equal(await stateOf(id), 'running')
      await the().remove(id)
      const { json } = await the().api.post('/v1/containers', { image: the().fixture.image, command: COUNTER })
      await succeed(json.data.id, 'restart')
      assert.equal(await stateOf(json.data.id), 'running')
    })

    if (runtime === 'crun')
      test('rename, while it runs too', async () => {
        const { api, inspect } = the()
        const id = await runCounter()
        await the().api.post('/v1/containers', { image: the().fixture.image, name: 'other' })
        await succeed('counter', 'rename', { name: 'renamed' })
        assert.equal((await inspect('renamed')).metadata.uid.slice(0, 12), id)
        assert.equal((await api.get('/v1/containers/counter')).status, 404)
        await refused('renamed', 'rename', /name "other" is taken/, { name: 'other' })
        assert.equal((await act('renamed', 'rename', { name: 'a/b' })).status, 400)
        assert.equal((await act('renamed', 'rename', { name: 'renamed' })).status, 400)
        assert.equal((await act('renamed', 'rename', {})).status, 400)
        const again = await api.post('/v1/containers', { image: the().fixture.image, name: 'counter' })
        assert.equal(again.status, 200, again.text)
      })
  })
