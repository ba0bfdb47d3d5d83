import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { type DaemonFixture, daemonFixture, runContainer, runToEnd } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

for (const runtime of ['crun', 'runc'] as const)
  describe(`containers with ${runtime}`, () => {
    let fixture: DaemonFixture
    const api = () => fixture.daemon.api
    const state = async (ref: string) => (await api().get(`/v1/containers/${ref}`)).json.data.state

    before(async () => {
      fixture = await daemonFixture({ runtime })
    })
    afterEach(() => fixture.leakCheck())
    after(() => fixture[Symbol.asyncDispose]())

    test('create, start, stop, start again, delete', async () => {
      const created = await api().post('/v1/containers', {
        image: fixture.image,
        name: 'web',
        command: ['sleep', '1000'],
      })
      assert.equal(created.status, 200, created.text)
      const { id } = created.json.data
      assert.match(id, /^[0-9a-f]{12}$/)
      assert.equal(await state('web'), 'created')

      assert.equal((await api().post('/v1/containers/web/actions/start', {})).status, 200)
      const running = (await api().get(`/v1/containers/${id}`)).json.data
      assert.equal(running.state, 'running')
      assert.ok(existsSync(`/proc/${running.pid}`))
      assert.match(running.address, /^10\.2/)
      assert.match(running.imageRepository, /\//)
      const upper = join(fixture.home.root, 'containers', id, 'upper')
      assert.deepEqual(readdirSync(upper), [], 'it has written nothing')

      const again = await api().post('/v1/containers/web/actions/start', {})
      assert.equal(again.status, 409)
      assert.match(again.json.message, /already running/)
      assert.equal((await api().delete('/v1/containers/web/actions/delete')).status, 409, 'it runs')

      assert.equal((await api().post('/v1/containers/web/actions/stop?timeout=0')).status, 200)
      assert.equal(await state('web'), 'stopped')
      assert.ok(!existsSync(`/proc/${running.pid}`))
      const inspected = (await api().get('/v1/containers/web/inspect')).json.data
      assert.equal(inspected.status.exitCode, 137)

      assert.equal((await api().post('/v1/containers/web/actions/start', {})).status, 200)
      assert.equal((await api().get('/v1/containers/web')).json.data.address, running.address, 'it keeps its address')
      assert.equal((await api().delete('/v1/containers/web/actions/delete?force=true')).status, 200)
      assert.equal((await api().get('/v1/containers/web')).status, 404)
    })

    test("the exit code is the process's own, and what it wrote is in the log, in order", async () => {
      const script = 'i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; exit 42'
      const { exitCode, output } = await runToEnd(fixture, { command: ['sh', '-c', script] })
      assert.equal(exitCode, 42)
      const expected = [...Array.from({ length: 200 }, (_, line) => `line ${line}`), ''].join('\n')
      assert.equal(output, expected)
    })

    test('what the writable layer holds survives a stop, and not a delete', async () => {
      const id = await runContainer(fixture, { command: ['sh', '-c', 'cat /kept; echo written >> /kept'] })
      await api().post(`/v1/containers/${id}/actions/wait`)
      await api().post(`/v1/containers/${id}/actions/start`, {})
      await api().post(`/v1/containers/${id}/actions/wait`)
      const log = (await api().get(`/v1/containers/${id}/log?tail_lines=10`)).text
      assert.match(log, /written\n$/)
      await api().delete(`/v1/containers/${id}/actions/delete`)
      const { output } = await runToEnd(fixture, { command: ['cat', '/kept'] })
      assert.match(output, /No such file/)
    })

    test('SIGTERM that is obeyed ends it with its own exit code', async () => {
      const script = 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
      const id = await runContainer(fixture, { command: ['sh', '-c', script] })
      await logHas(id, 'ready')
      await api().post(`/v1/containers/${id}/actions/stop`)
      const { status } = (await api().get(`/v1/containers/${id}/inspect`)).json.data
      assert.equal(status.exitCode, 3)
      assert.match((await api().get(`/v1/containers/${id}/log?tail_lines=1`)).text, /^bye\n$/)
      await api().delete(`/v1/containers/${id}/actions/delete`)
    })

    test("a command that cannot run fails the start with the runtime's message", async () => {
      const { id } = (await api().post('/v1/containers', { image: fixture.image, command: ['/no/such/program'] })).json
        .data
      const started = await api().post(`/v1/containers/${id}/actions/start`, {})
      assert.equal(started.status, 400)
      assert.match(started.json.message, /no\/such\/program/)
      assert.match(started.json.message, /[Nn]o such file/)
      const { status } = (await api().get(`/v1/containers/${id}/inspect`)).json.data
      assert.equal(status.exitCode, 127)
      assert.equal(status.reason, 'StartError')
      assert.equal((await api().delete(`/v1/containers/${id}/actions/delete`)).status, 200)
    })

    test('AppArmor confines it where the kernel has that', async () => {
      const enabled = existsSync('/sys/kernel/security/apparmor/profiles')
      const { output } = await runToEnd(fixture, { command: ['cat', '/proc/self/attr/current'] })
      // A kernel without any security module answers with an error or nothing.
      if (enabled) assert.equal(output, 'raind-default (enforce)\n')
      else assert.doesNotMatch(output, /raind-default/)
    })

    test('exec gives output, both streams apart, and the exit code', async () => {
      const id = await runContainer(fixture, { command: ['sleep', '1000'], env: ['FROM=container'] })
      const command = ['sh', '-c', 'echo out $FROM $MORE; echo err >&2; id -u; pwd; exit 9']
      const body = { command, env: ['MORE=exec'], user: 'app', workdir: '/tmp', wait: true }
      const { data } = (await api().post(`/v1/containers/${id}/actions/exec`, body)).json
      assert.equal(data.exitCode, 9)
      assert.equal(data.stdout, 'out container exec\n1000\n/tmp\n')
      assert.equal(data.stderr, 'err\n')

      const { execId } = (await api().post(`/v1/containers/${id}/exec`, { command: ['sh', '-c', 'exit 5'] })).json.data
      assert.equal((await api().get(`/v1/execs/${execId}`)).json.data.exitCode, null)
      await api().post(`/v1/execs/${execId}/start`)
      assert.equal((await api().get(`/v1/execs/${execId}`)).json.data.exitCode, 5)
      assert.equal((await api().post(`/v1/execs/${execId}/start`)).status, 409)

      const missing = (await api().post(`/v1/containers/${id}/actions/exec`, { command: ['nope'], wait: true })).json
        .data
      assert.equal(missing.exitCode, 127)
      await api().delete(`/v1/containers/${id}/actions/delete?force=true`)
      assert.equal((await api().post(`/v1/containers/${id}/actions/exec`, { command: ['true'] })).status, 404)
    })

    test('a name is taken once; a reference may be a name, an id or its beginning', async () => {
      const one = (await api().post('/v1/containers', { image: fixture.image, name: 'taken' })).json.data.id
      const second = await api().post('/v1/containers', { image: fixture.image, name: 'taken' })
      assert.equal(second.status, 409)
      assert.match(second.json.message, /"taken" is taken/)
      const inspected = (await api().get(`/v1/containers/${one}/inspect`)).json.data
      for (const ref of ['taken', one, one.slice(0, 6), inspected.metadata.uid]) {
        assert.equal((await api().get(`/v1/containers/${ref}`)).json.data.containerId, one)
      }
      await api().delete('/v1/containers/taken/actions/delete')
    })

    test('wait tells every waiter; autoRemove leaves nothing', async () => {
      const command = ['sh', '-c', 'until [ -e /go ]; do sleep 0.02; done; exit 4']
      const id = await runContainer(fixture, { command, autoRemove: true })
      const { pid } = (await api().get(`/v1/containers/${id}`)).json.data
      const waits = [1, 2, 3].map(() => api().post(`/v1/containers/${id}/actions/wait`))
      // They are under way when a later request has been answered.
      await api().get('/v1/health')
      writeFileSync(`/proc/${pid}/root/go`, '')
      for (const wait of await Promise.all(waits)) assert.equal(wait.json.data.exitCode, 4)
      await eventually(
        () => api().get(`/v1/containers/${id}`),
        ({ status }) => status === 404,
      )
    })

    test('kill sends a signal while a stop waits', async () => {
      const script = 'trap "echo asked" TERM; echo ready; while :; do sleep 0.1; done'
      const id = await runContainer(fixture, { command: ['sh', '-c', script] })
      await logHas(id, 'ready')
      const stopping = api().post(`/v1/containers/${id}/actions/stop?timeout=600`)
      await logHas(id, 'asked')
      assert.equal((await api().post(`/v1/containers/${id}/actions/kill`, { signal: 'SIGKILL' })).status, 200)
      assert.equal((await stopping).status, 200)
      assert.equal((await api().get(`/v1/containers/${id}/inspect`)).json.data.status.exitCode, 137)
      await api().delete(`/v1/containers/${id}/actions/delete`)
    })

    test('a container out of memory says so', async () => {
      const command = ['sh', '-c', 'x=$(head -c 100000000 /dev/zero | tr "\\0" x); echo "$x"']
      const id = await runContainer(fixture, { command, memory: '16m' })
      const { data } = (await api().post(`/v1/containers/${id}/actions/wait`)).json
      const { status } = (await api().get(`/v1/containers/${id}/inspect`)).json.data
      assert.equal(data.oomKilled, true)
      assert.equal(status.reason, 'OOMKilled')
      await api().delete(`/v1/containers/${id}/actions/delete`)
    })

    async function logHas(id: string, text: string): Promise<void> {
      await eventually(
        () => api().get(`/v1/containers/${id}/log?tail_lines=100`),
        (log) => log.text.includes(text),
      )
    }
  })
