import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, describe, test } from 'node:test'
import type { WireEvent } from '../../src/api/raind/index.ts'
import { projectRoot } from '../support/daemon.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { followEvents } from '../support/event-stream.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const told = ({ type, action, name }: WireEvent) => `${type} ${action} ${name}`

describe('events', () => {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api
  const act = async (ref: string, action: string, body?: object) => {
    const answer = await api().post(`/v1/containers/${ref}/actions/${action}`, body)
    assert.equal(answer.status, 200, answer.text)
  }
  const remove = (ref: string) => api().delete(`/v1/containers/${ref}/actions/delete?force=true`)
  const follow = (query = '') => followEvents(fixture.home, query)

  before(async () => {
    fixture = await daemonFixture()
  })
  afterEach(() => fixture.clear())
  after(() => fixture[Symbol.asyncDispose]())

  test('tell the life of a container, in order, with who asked', async () => {
    using events = await follow()
    const command = ['sh', '-c', 'trap "exit 3" TERM; trap : USR1; touch /ready; while :; do sleep 0.02; done']
    const id = await runContainer(fixture, { name: 'web', command, labels: { tier: 'front' } })
    await act('web', 'exec', { command: ['sh', '-c', 'until [ -e /ready ]; do sleep 0.02; done; exit 7'], wait: true })
    await act('web', 'pause')
    await act('web', 'unpause')
    await act('web', 'rename', { name: 'site' })
    await act('site', 'update', { pids: 50 })
    await act('site', 'kill', { signal: 'USR1' })
    await act('site', 'restart')
    // Its trap may not be set yet.
    await act('site', 'stop?signal=KILL')
    await remove('site')
    const all = await events.until(({ action }) => action === 'remove')
    assert.deepEqual(all.map(told), [
      ...['create', 'start', 'exec_create', 'exec_start', 'exec_die', 'pause', 'unpause'].map(
        (action) => `container ${action} web`,
      ),
      ...['rename', 'update', 'kill', 'kill', 'die', 'stop', 'start', 'restart', 'kill', 'die', 'stop', 'remove'].map(
        (action) => `container ${action} site`,
      ),
    ])
    assert.deepEqual(
      all.map(({ sequence }) => sequence),
      all.map((_, index) => all[0]!.sequence + index),
    )
    for (const event of all) {
      assert.equal(event.id.slice(0, 12), id)
      assert.equal(event.attributes['tier'], 'front')
      assert.match(event.attributes['image']!, /busybox:latest$/)
      assert.match(event.time, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    }
    const die = all.find(({ action }) => action === 'die')!
    assert.equal(die.attributes['exitCode'], '3')
    assert.equal(die.actor, undefined, 'nobody asked for an end')
    for (const action of ['create', 'start', 'stop', 'remove', 'exec_start'])
      assert.deepEqual(all.find((event) => event.action === action)!.actor, { uid: 0, pid: process.pid }, action)
    const by = (action: string) => all.find((event) => event.action === action)!.attributes
    assert.equal(by('exec_die')['exitCode'], '7')
    assert.equal(by('rename')['oldName'], 'web')
    assert.equal(by('kill')['signal'], '10')
  })

  test('tell of images and networks', async () => {
    using events = await follow()
    const image = fixture.image
    const ok = async (answer: Promise<{ status: number; text: string }>) => {
      const { status, text } = await answer
      assert.equal(status, 200, text)
    }
    await ok(api().post('/v1/images', { image }))
    await ok(api().post('/v1/images/tag', { image, target: `${fixture.registry.host}/other:1` }))
    await ok(api().post('/v1/images/push', { image: `${fixture.registry.host}/other:1` }))
    await ok(api().get(`/v1/images/save?image=${image}`))
    await ok(api().delete('/v1/images', { image: `${fixture.registry.host}/other:1` }))
    await ok(api().post('/v1/networks', { bridge: 'evnet', labels: { a: 'b' } }))
    await runContainer(fixture, { name: 'web', command: ['sleep', '1000'] })
    await ok(api().post('/v1/networks/evnet/actions/connect', { container: 'web' }))
    await ok(api().post('/v1/networks/evnet/actions/disconnect', { container: 'web' }))
    await ok(api().delete('/v1/networks/evnet/actions/delete'))
    const all = (await events.until(({ type, action }) => type === 'network' && action === 'remove')).filter(
      ({ type }) => type !== 'container',
    )
    assert.deepEqual(
      all.map(({ type, action }) => `${type} ${action}`),
      [
        ...['pull', 'tag', 'push', 'save', 'untag'].map((action) => `image ${action}`),
        ...['create', 'connect', 'disconnect', 'remove'].map((action) => `network ${action}`),
      ],
    )
    assert.equal(all.find(({ action }) => action === 'connect')!.attributes['container']!.length, 64)
    assert.match(all[0]!.attributes['imageId']!, /^sha256:/)
  })

  test('a follower that goes on from its last sequence misses nothing when the daemon is killed', async () => {
    const ids: string[] = []
    const seen: WireEvent[] = []
    let since = ''
    for (let round = 0; round < 4; round++) {
      using events = await follow(since)
      for (let index = 0; index < 3; index++) {
        ids.push(await runContainer(fixture, { command: ['true'] }))
      }
      // One time of all, of some, of none, before the end.
      seen.push(...(await events.take([9, 4, 0, 1][round]!)))
      since = `since=${seen.at(-1)!.sequence}`
      await fixture.daemon.kill()
      await fixture.restart()
    }
    using events = await follow(since)
    const left = ids.length * 3 - seen.length
    seen.push(...(await events.take(left)))
    assert.deepEqual(
      seen.map(({ sequence }) => sequence),
      seen.map((_, index) => seen[0]!.sequence + index),
    )
    for (const id of ids)
      assert.deepEqual(
        seen.filter((event) => event.id.startsWith(id)).map(({ action }) => action),
        ['create', 'start', 'die'],
      )
  })

  test('a follower that does not read gets all of it later, in order', async () => {
    await runContainer(fixture, {
      name: 'web',
      command: ['sh', '-c', 'trap : USR1; while :; do sleep 0.1; done'],
      labels: { large: 'x'.repeat(4000), larger: 'y'.repeat(4000) },
    })
    using events = await follow('filter=event=kill')
    const count = 600
    for (let done = 0; done < count; done += 50)
      await Promise.all(Array.from({ length: 50 }, () => act('web', 'kill', { signal: 'USR1' })))
    const all = await events.take(count)
    assert.ok(all.every(({ sequence }, index) => index === 0 || sequence > all[index - 1]!.sequence))
    assert.equal(all[0]!.attributes['large']!.length, 4000)
    assert.equal(all[0]!.attributes['larger'], undefined, 'labels are bounded')
  })

  test('since, until and filters', async () => {
    const begun = new Date().toISOString()
    await runContainer(fixture, { name: 'one', command: ['true'], labels: { tier: 'front' } })
    await runContainer(fixture, { name: 'two', command: ['true'] })
    await act('two', 'wait')
    await act('one', 'wait')
    const past = async (query: string) => {
      using events = await follow(`until=0s&${query}`)
      return await events.rest()
    }
    const all = await past(`since=${begun}`)
    assert.deepEqual(
      all.map(told).sort(),
      ['one', 'two']
        .flatMap((name) => ['create', 'die', 'start'].map((action) => `container ${action} ${name}`))
        .sort(),
    )
    assert.deepEqual((await past('')).slice(-all.length), all)
    assert.deepEqual(await past(`since=${all[2]!.sequence}`), all.slice(3))
    assert.deepEqual(await past(`since=${encodeURIComponent(all[0]!.time)}`), all)
    assert.deepEqual((await past(`since=1h&filter=container=one&filter=event=die&filter=event=start`)).map(told), [
      'container start one',
      'container die one',
    ])
    assert.equal((await past(`since=${begun}&filter=label=tier=front`)).length, 3)
    assert.equal((await past(`since=${begun}&filter=type=image`)).length, 0)
    const soon = await follow(`until=${(Date.now() + 2000) / 1000}`)
    assert.deepEqual(await soon.rest(), [], 'it ends at that time')
  })

  test('what makes no sense, and what is not kept, is refused', async () => {
    for (const query of ['since=yesterday', 'until=x', 'filter=nope=1', 'filter=type', 'since=1&since=2', 'other=1'])
      assert.equal((await api().get(`/v1/events?${query}`)).status, 400, query)
    const expired = await api().get('/v1/events?since=999999')
    assert.deepEqual([expired.status, expired.json.code], [410, 'expired'])
  })

  test('raind events: lines as docker’s, or JSON', async () => {
    const start = (...args: string[]) => {
      const env = { ...process.env, CONDENSER_SOCKET: join(fixture.home.run, 'condenser.sock') }
      const child = spawn(join(projectRoot, 'bin/raind'), ['events', ...args], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return { child, ended: Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]) }
    }
    const raind = async (...args: string[]) => {
      const [stdout, stderr, [code]] = await start(...args).ended
      return { code, stdout, stderr }
    }
    await runContainer(fixture, { name: 'solo', command: ['true'] })
    await act('solo', 'wait')
    const only = ['--since', '1m', '-f', 'container=solo', '-f', 'event=die']
    const lines = await raind(...only, '--until', '0s')
    assert.equal(lines.code, 0, lines.stderr)
    assert.match(
      lines.stdout,
      /^\S+Z container die [0-9a-f]{64} \(execDuration=\d+, exitCode=0, image=\S+, name=solo, reason=Completed\)\n$/,
    )
    const json = await raind(...only, '--until', '0s', '--json')
    assert.equal((JSON.parse(json.stdout) as WireEvent).action, 'die')

    for (const end of ['stop', 'kill'] as const) {
      const { child, ended } = start(...only)
      await once(child.stdout, 'data')
      await fixture.daemon[end]()
      await fixture.restart()
      const [, stderr, [code]] = await ended
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^raind: The daemon has ended the connection\n {2}Nothing is lost: go on with raind events --since \d+\n$/,
      )
    }
  })
})
