import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { WireEvent } from '../../src/api/raind/index.ts'
import { runContainer } from '../support/daemon-fixture.ts'
import { followEvents } from '../support/event-stream.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { optionsFixture } from '../support/options-fixture.ts'

runInOwnNamespaces(import.meta.filename)

const SLEEP = ['sleep', '1000']
/** Well as long as there is a file `/well`; says what it finds. */
const WELL = ['CMD-SHELL', 'echo probing; ls /well']
/** The same once there is a file `/gate/open`, of which a new process knows nothing: until then nothing is known. */
const GATED_WELL = ['CMD-SHELL', 'until [ -e /gate/open ]; do sleep 0.02; done; echo probing; ls /well']
const GATE = { tmpfs: ['/gate'] }

for (const runtime of ['crun', 'runc'] as const)
  describe(`health checks with ${runtime}`, () => {
    const the = optionsFixture(runtime)
    const run = (healthcheck: object, body: object = {}) =>
      runContainer(the().fixture, { name: 'web', command: SLEEP, healthcheck, ...body })
    const act = async (action: string, body?: object) => {
      const answer = await the().api.post(`/v1/containers/web/actions/${action}`, body)
      assert.equal(answer.status, 200, answer.text)
    }
    const follow = (query = '') => followEvents(the().fixture.home, `filter=container=web&${query}`)
    const health = (wanted: string) => (event: WireEvent) =>
      event.action === 'health_status' && event.attributes['health'] === wanted
    const setWell = async (well: boolean) => {
      const file = `/proc/${(await the().inspect('web')).status.pid}/root/well`
      if (well) writeFileSync(file, '')
      else rmSync(file)
    }
    const openGate = async () => writeFileSync(`/proc/${(await the().inspect('web')).status.pid}/root/gate/open`, '')
    /** What runs in the container, by command line. */
    const processes = async () => {
      const { pid } = (await the().inspect('web')).status
      // A process may end at any time.
      const read = (file: string) => {
        try {
          return readFileSync(file, 'utf8')
        } catch {
          return ''
        }
      }
      const namespace = (of: number | string) => read(`/proc/${of}/cgroup`)
      const own = namespace(pid)
      return readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name) && namespace(name) === own)
        .map((name) => read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim())
        .filter((line) => line !== '')
    }

    test('starting, healthy, unhealthy and back: told on change only, with what the probes said', async () => {
      using events = await follow()
      await run({ test: GATED_WELL, interval: '50ms', retries: 2 }, GATE)
      assert.equal((await the().inspect('web')).health.status, 'starting')
      await openGate()
      await events.until(health('unhealthy'))
      await setWell(true)
      await events.until(health('healthy'))
      const { health: shown, status } = await the().inspect('web')
      assert.deepEqual([shown.status, shown.failingStreak, status.health.status], ['healthy', 0, 'healthy'])
      assert.ok(shown.log.length <= 5)
      const last = shown.log.at(-1)
      assert.deepEqual([last.exitCode, last.output], [0, 'probing\n/well\n'])
      assert.ok(last.startedAt <= last.finishedAt)
      const [listed] = (await the().api.get('/v1/containers')).json.data
      assert.equal(listed.health, 'healthy')
      const { resourceVersion } = (await the().inspect('web')).metadata
      await new Promise((resolve) => setTimeout(resolve, 500))
      assert.equal((await the().inspect('web')).metadata.resourceVersion, resourceVersion, 'no write for a result')
      await setWell(false)
      const changed = await events.until(health('unhealthy'))
      assert.deepEqual(
        changed.map(({ action, actor }) => [action, actor]),
        [['health_status', undefined]],
      )
      assert.match((await the().inspect('web')).health.log.at(-1).output, /No such file/)
    })

    test('a probe that takes too long is ended, with all that it has begun', async () => {
      using events = await follow()
      const script = 'setsid sleep 4001 & (sleep 4002 & sleep 4003) & sleep 4004'
      await run({ test: ['CMD-SHELL', script], interval: '100ms', timeout: '300ms', retries: 1 })
      await events.until(health('unhealthy'))
      const { log } = (await the().inspect('web')).health
      assert.equal(log[0].exitCode, -1)
      assert.match(log[0].output, /took longer than 0\.3 s/)
    })

    test('what a probe that was ended has begun is gone', async () => {
      using events = await follow()
      const script = '(sleep 4002 & exec sleep 4003) & sleep 4004'
      await run({ test: ['CMD-SHELL', script], interval: '300ms', timeout: '300ms', retries: 1000 })
      await eventually(
        async () => (await the().inspect('web')).health.log,
        ({ length }) => length >= 3,
      )
      // One that is under way, at most.
      const left = (await processes()).filter((line) => line.startsWith('sleep 400'))
      assert.ok(left.length <= 3, left.join('\n'))
      assert.ok((await events.take(2)).every(({ action }) => action !== 'health_status'))
    })

    test('output is cut, also of who writes without an end, and what a probe leaves behind does not hold it up', async () => {
      using events = await follow()
      await run({ test: ['CMD-SHELL', 'sleep 1 & yes 2>&1'], interval: '50ms', timeout: '5s', retries: 1 })
      await events.until(health('unhealthy'))
      const { log } = (await the().inspect('web')).health
      assert.equal(log[0].output.length <= 4096, true)
      assert.match(log[0].output, /^(y\n)+/)
      await the().remove('web')
      await run({ test: ['CMD-SHELL', 'sleep 1000 & echo left'], interval: '50ms', retries: 1 })
      await events.until(health('healthy'))
      assert.equal((await the().inspect('web')).health.log[0].output, 'left\n')
    })

    test('paused containers are not probed; probing goes on after it, and after a restart of the daemon', async () => {
      using events = await follow()
      const count = 'n=$(cat /n 2>/dev/null); echo $((n + 1)) > /n'
      await run({ test: ['CMD-SHELL', count], interval: '50ms' })
      await events.until(health('healthy'))
      const probes = async () => Number(readFileSync(`/proc/${(await the().inspect('web')).status.pid}/root/n`, 'utf8'))
      const more = async () => {
        for (const before = await probes(); (await probes()) <= before; );
      }
      await more()
      await act('pause')
      const before = await probes()
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.equal(await probes(), before)
      await act('unpause')
      await more()
      await the().fixture.restart({ runtime })
      await more()
      const { health: shown, status } = await the().inspect('web')
      assert.equal(shown.status, 'healthy')
      assert.equal(status.health.status, 'healthy')
    })

    test('a command that cannot be run is a failure that says why', async () => {
      using events = await follow()
      await run({ test: ['CMD', '/no/such'], interval: '50ms', retries: 2 })
      await events.until(health('unhealthy'))
      const [first] = (await the().inspect('web')).health.log
      assert.ok(first.exitCode !== 0)
    })

    test('an unhealthy container is restarted, if that is asked for', async () => {
      using events = await follow()
      const command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.02; done']
      await run({ test: GATED_WELL, interval: '100ms', retries: 2 }, { command, restartUnhealthy: true, ...GATE })
      await openGate()
      const told = await events.until(({ action }) => action === 'die')
      assert.equal(told.filter(health('unhealthy')).length, 1)
      await events.until(({ action }) => action === 'start')
      const { status } = await the().inspect('web')
      assert.deepEqual([status.restartCount, status.health.status], [1, 'starting'])
      await setWell(true)
      await openGate()
      await events.until(health('healthy'))
      await act('stop')
      assert.equal((await the().inspect('web')).state, 'stopped')
    })

    if (runtime === 'crun')
      test('what makes no sense is refused', async () => {
        const { api, fixture } = the()
        for (const healthcheck of [
          { test: ['true'] },
          { test: ['CMD'] },
          { interval: '1s' },
          { test: WELL, interval: 'soon' },
          { test: WELL, retries: -1 },
          { test: WELL, other: 1 },
        ]) {
          const answer = await api.post('/v1/containers', { image: fixture.image, healthcheck })
          assert.equal(answer.status, 400, answer.text)
        }
      })
  })
