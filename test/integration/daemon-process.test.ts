import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeHome, startDaemon } from '../support/daemon.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { ask, serve } from '../support/sockets.ts'

runInOwnNamespaces(import.meta.filename)

let fixture: DaemonFixture
const command = ['sleep', '1000']

before(async () => {
  fixture = await daemonFixture()
})
after(() => fixture[Symbol.asyncDispose]())

test('SIGTERM ends the daemon though somebody waits, and leaves containers and their records', async () => {
  const id = await runContainer(fixture, { name: 'stays', command })
  const { pid } = (await fixture.daemon.api.get('/v1/containers/stays')).json.data
  const waiting = fixture.daemon.api.post('/v1/containers/stays/actions/wait').then(
    ({ status }) => status,
    () => 'cut off',
  )
  // The wait is under way when a later request has been answered.
  await fixture.daemon.api.get('/v1/health')
  await fixture.daemon.stop()
  // By itself: not by the alarm that cuts off what hangs, which exits with 1.
  assert.deepEqual(await fixture.daemon.ended, { code: 0, signal: null })
  assert.ok([503, 'cut off'].includes(await waiting))
  assert.ok(existsSync(`/proc/${pid}`))
  await assert.rejects(fixture.daemon.api.get('/v1/health'), 'nobody listens any more')

  const { api } = await fixture.restart()
  const found = (await api.get(`/v1/containers/${id}`)).json.data
  assert.deepEqual([found.name, found.state, found.pid], ['stays', 'running', pid])
  assert.equal((await api.delete(`/v1/containers/${id}/actions/delete?force=true`)).status, 200)
  await fixture.leakCheck()
})

test('a second daemon on the same root is refused, and the first goes on', async () => {
  await using home = await makeHome()
  await assert.rejects(startDaemon({ ...home, root: fixture.home.root }), (error: Error) => {
    assert.match(error.message, /^The daemon ended with 1:/)
    assert.match(error.message, /Another daemon has the root .*: stop that one, or give this one a root/)
    return true
  })
  assert.equal((await fixture.daemon.api.get('/v1/health')).status, 200)
})

test('a configuration that cannot be is refused by name, with 125, before anything is made', async () => {
  await using home = await makeHome()
  const refused = async (message: RegExp, ...args: string[]) => {
    await assert.rejects(startDaemon(home, { args }), (error: Error) => {
      assert.match(error.message, /^The daemon ended with 125:\ncondenser: [^\n]+\n$/)
      assert.match(error.message, message)
      return true
    })
    assert.ok(!existsSync(home.run))
  }
  await refused(/certDir "cert" is not an absolute path/, '--cert-dir', 'cert')
  await refused(/neither "none" nor/, '--listen', 'everywhere')
  await refused(/'--rooot'.*see condenser --help/, '--rooot', '/x')
  await writeFile(home.config, 'rooot: /x\n')
  await refused(/unknown field "rooot"; known are: root, run/)
  await writeFile(home.config, 'images: {reserve: lots}\n')
  await refused(/images\.reserve "lots"/)
})

test('what is removed from the run directory is made again, and what runs goes on', async () => {
  const { api } = fixture.daemon
  const id = await runContainer(fixture, { name: 'stays', command, port: ['18090:80'] })
  const { pid } = (await api.get('/v1/containers/stays')).json.data
  const { run } = fixture.home
  for (const name of ['condenser.sock', 'exits', 'crun', 'runc'])
    rmSync(join(run, name), { recursive: true, force: true })
  const answer = async () => {
    for (let tries = 1; ; tries++) {
      try {
        return (await api.get('/v1/containers/stays')).json.data
      } catch (error) {
        if (tries === 600) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  const { state, pid: now } = await answer()
  assert.deepEqual({ state, pid: now }, { state: 'running', pid })
  const { findings } = (await api.post('/v1/system/check', {})).json.data
  assert.ok(findings.length > 0 && findings.every(({ subject }: { subject: string }) => subject === 'container stays'))
  // It is stopped with its true exit code, and started again.
  assert.equal((await api.post(`/v1/containers/${id}/actions/stop?signal=KILL`)).status, 200)
  assert.equal((await api.get(`/v1/containers/${id}/inspect`)).json.data.status.exitCode, 137)
  assert.equal((await api.post(`/v1/containers/${id}/actions/start`, {})).status, 200)
  assert.deepEqual((await api.post('/v1/system/check', {})).json.data, { ok: true, findings: [] })
  await api.delete(`/v1/containers/${id}/actions/delete?force=true`)
  await fixture.leakCheck()
})

test('two daemons live side by side: the same name, other ports, and neither touches what the other has made', async () => {
  await using home = await makeHome()
  await writeFile(home.config, `cgroupParent: ${home.cgroupParent}\n`)
  const second = await startDaemon(home)
  try {
    const first = await runContainer(fixture, { name: 'same', command, port: ['8080:80'] })
    const body = { image: fixture.image, name: 'same', command, port: ['8090:80'] }
    const { id } = (await second.api.post('/v1/containers', body)).json.data
    assert.equal((await second.api.post(`/v1/containers/${id}/actions/start`, {})).status, 200)
    await using _one = await serve(await networkOf(first, fixture.daemon.api), 'tcp', 80, 'first')
    await using _two = await serve(await networkOf(id, second.api), 'tcp', 80, 'second')
    const bothAnswer = async () => {
      assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^first/)
      assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8090), /^second/)
    }
    await bothAnswer()
    await fixture.restart()
    await bothAnswer()
    assert.equal((await second.api.delete('/v1/containers/same/actions/delete?force=true')).status, 200)
    assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^first/)
    assert.equal((await fixture.daemon.api.delete('/v1/containers/same/actions/delete?force=true')).status, 200)
    for (const { run } of [home, fixture.home]) assert.ok(!existsSync(join(run, 'containers', id)))
  } finally {
    await second.stop()
  }
})

async function networkOf(id: string, api: DaemonFixture['daemon']['api']): Promise<string> {
  return `/proc/${(await api.get(`/v1/containers/${id}`)).json.data.pid}/ns/net`
}
