import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cgroupHierarchies } from '../../src/linux/cgroup.ts'
import { assertAgreement } from '../support/agreement.ts'
import type { Answer } from '../support/api-client.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { file, tar } from '../support/tar-builder.ts'
import { startWitness, type Witness } from '../support/witness.ts'

runInOwnNamespaces(import.meta.filename)

const MIB = 1024 * 1024
const SLEEP = { command: ['sleep', '1000'] }

/**
 * Whatever a machine runs out of: who asks for more is told so, what runs is not harmed, what has been acknowledged is
 * kept, a user can remove things, and all goes on when there is room again.
 */
describe('a machine that has no more', () => {
  let fixture: DaemonFixture
  let witness: Witness
  const api = () => fixture.daemon.api
  /** What the daemon says of internal errors. */
  const failures = () => (fixture.daemon.log().match(/^.*"request failed".*$/gm) ?? []).join('\n')

  before(async () => {
    fixture = await daemonFixture({ disk: { sizeBytes: 96 * MIB, inodes: 4000 } })
    witness = await startWitness(fixture, { ports: [18081, 18082] })
  })
  after(async () => {
    await witness[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })

  /** Each takes all that there is; disposing gives it back. */
  const shortages: readonly (readonly [string, RegExp, () => Promise<Disposable | AsyncDisposable>])[] = [
    ['space on the disk', /disk is full|no space left/i, async () => fillDisk()],
    ['inodes', /disk is full|no space left/i, async () => takeInodes()],
    ['file descriptors', /files open/, takeDescriptors],
    ['processes', /no more processes/, takeProcesses],
  ]
  for (const [what, reason, take] of shortages)
    test(`no ${what}`, async () => {
      const id = await runContainer(fixture, { name: 'runs', ...SLEEP })
      assert.equal((await api().post('/v1/containers', { image: fixture.image, name: 'made', ...SLEEP })).status, 200)
      {
        await using _shortage = await take()
        const refused: Answer[] = []
        refused.push(await api().post('/v1/containers', { image: fixture.image, name: 'new', ...SLEEP }))
        refused.push(await api().post('/v1/containers/made/actions/start', {}))
        refused.push(await api().post('/v1/containers/runs/actions/exec', { command: ['true'], wait: true }))
        refused.push(await api().post('/v1/volumes', { name: 'new' }))
        refused.push(await api().send('PUT', '/v1/containers/runs/archive?path=/', tar([file('new', 'x')])))
        const failed = refused.filter(({ status }) => status !== 200)
        assert.ok(failed.length > 0, 'there was still enough')
        for (const { status, text } of failed) {
          assert.equal(status, 507, `${text}\n${failures()}`)
          assert.match(text, reason)
        }
        await witness.assertUnharmed()
        if (what !== 'file descriptors') {
          // It can be looked at, stopped, and room can be made.
          assert.equal((await api().get('/v1/containers')).status, 200)
          const stopped = await api().post(`/v1/containers/${id}/actions/stop?signal=KILL`)
          assert.equal(stopped.status, 200, stopped.text)
          assert.equal((await api().get(`/v1/containers/${id}/inspect`)).json.data.status.exitCode, 137)
          const removed = await api().delete(`/v1/containers/${id}/actions/delete`)
          assert.equal(removed.status, 200, removed.text)
        }
        await witness.assertUnharmed()
      }
      // Everything goes again, and nothing was left half made.
      for (const name of ['new', 'made', 'runs']) await api().delete(`/v1/containers/${name}/actions/delete?force=true`)
      await api().post('/v1/volumes/prune', { all: true })
      await assertAgreement(api())
      await runContainer(fixture, { name: 'new', ...SLEEP })
      await api().delete('/v1/containers/new/actions/delete?force=true')
      await witness.assertUnharmed()
    })

  test('no memory: the kernel ends the daemon, and nothing else', async () => {
    const id = await runContainer(fixture, { name: 'runs', ...SLEEP })
    const { pid } = (await api().get(`/v1/containers/${id}`)).json.data
    {
      await using cgroup = cgroupOfItsOwn('memory')
      // What it has already is not counted in version 1: what it asks for from now on is.
      const file = cgroup.version === 1 ? 'memory.limit_in_bytes' : 'memory.max'
      writeFileSync(join(cgroup.directory, file), String(2 * MIB))
      let alive = true
      const ended = fixture.daemon.ended.then(({ signal }) => {
        alive = false
        return signal
      })
      while (alive) await Promise.allSettled([api().get('/v1/openapi.json'), api().post('/v1/system/check', {})])
      assert.equal(await ended, 'SIGKILL')
    }
    await fixture.restart()
    assert.equal((await api().get(`/v1/containers/${id}`)).json.data.pid, pid)
    await assertAgreement(api())
    await witness.assertUnharmed()
    assert.equal((await api().delete(`/v1/containers/${id}/actions/delete?force=true`)).status, 200)
  })

  test('what ends while the disk is full has its true exit code', async () => {
    const id = await runContainer(fixture, { name: 'short', command: ['sh', '-c', 'sleep 1; exit 7'] })
    {
      using _shortage = fillDisk()
      await sleep(1500)
    }
    const { exitCode } = (await api().post(`/v1/containers/${id}/actions/wait`)).json.data
    assert.equal(exitCode, 7)
    assert.equal((await api().delete(`/v1/containers/${id}/actions/delete`)).status, 200)
  })

  test('a daemon that starts while the disk is full serves what runs', async () => {
    const id = await runContainer(fixture, { name: 'runs', ...SLEEP })
    const { pid } = (await api().get(`/v1/containers/${id}`)).json.data
    {
      using _shortage = fillDisk()
      await fixture.daemon.kill()
      await fixture.restart()
      assert.equal((await api().get(`/v1/containers/${id}`)).json.data.pid, pid)
      assert.equal((await api().delete(`/v1/containers/${id}/actions/delete?force=true`)).status, 200)
      await witness.assertUnharmed()
    }
    await assertAgreement(api())
  })

  test('the database goes on when its log has outgrown what was kept for it', async () => {
    const id = await runContainer(fixture, { name: 'runs', ...SLEEP })
    {
      using _shortage = fillDisk()
      // Each writes two pages and more.
      let last: Answer | undefined
      for (let round = 0; round < 4000; round++) {
        last = await api().post(`/v1/containers/${id}/actions/rename`, { name: `n${round % 2}` })
        if (last.status !== 200) break
      }
      assert.ok(last)
      assert.equal(last.status, 507, last.text)
      assert.match(last.text, /disk is full/)
      assert.equal((await api().get(`/v1/containers/${id}`)).json.data.state, 'running')
      await witness.assertUnharmed()
    }
    assert.equal((await api().post(`/v1/containers/${id}/actions/rename`, { name: 'after' })).status, 200)
    await fixture.daemon.kill()
    await fixture.restart()
    assert.equal((await api().get('/v1/containers/after')).json.data.state, 'running')
    await api().delete('/v1/containers/after/actions/delete?force=true')
    await assertAgreement(api())
  })

  test('no address', async () => {
    const network = await api().post('/v1/networks', { bridge: 'tiny', subnet: '10.99.0.0/29' })
    assert.equal(network.status, 200, network.text)
    const create = (name: string) =>
      api().post('/v1/containers', { image: fixture.image, network: 'tiny', name, ...SLEEP })
    const made: string[] = []
    let refused = await create('c0')
    for (; refused.status === 200 && made.length < 8; refused = await create(`c${made.length}`))
      made.push(`c${made.length}`)
    assert.equal(refused.status, 507, refused.text)
    assert.match(refused.text, /address/)
    assert.equal((await api().delete('/v1/containers/c0/actions/delete')).status, 200)
    assert.equal((await create('c0')).status, 200)
    for (const name of made) assert.equal((await api().delete(`/v1/containers/${name}/actions/delete`)).status, 200)
    assert.equal((await api().delete('/v1/networks/tiny/actions/delete')).status, 200)
    await assertAgreement(api())
  })

  test('no port', async () => {
    const range = '/proc/sys/net/ipv4/ip_local_port_range'
    const before = readFileSync(range, 'utf8')
    const taken: Server[] = []
    const ports = [50_000, 50_001]
    for (const port of ports) {
      const server = createServer().listen(port, '0.0.0.0')
      await once(server, 'listening')
      taken.push(server)
    }
    writeFileSync(range, ports.join(' '))
    await api().post('/v1/containers', { image: fixture.image, name: 'ported', port: ['0:80'], ...SLEEP })
    const refused = await api().post('/v1/containers/ported/actions/start', {})
    for (const server of taken) server.close()
    writeFileSync(range, before)
    assert.equal(refused.status, 507, refused.text)
    assert.match(refused.text, /port/)
    assert.equal((await api().post('/v1/containers/ported/actions/start', {})).status, 200)
    assert.equal((await api().delete('/v1/containers/ported/actions/delete?force=true')).status, 200)
    // Those who connect to the witness had no port either.
    await assertAgreement(api())
  })

  function fillDisk(): Disposable {
    const files: string[] = []
    const write = (bytes: number) => {
      const file = join(fixture.home.root, `fill-${files.length}`)
      files.push(file)
      writeFileSync(file, Buffer.alloc(bytes))
    }
    for (const bytes of [MIB, 64 * 1024, 4096]) {
      try {
        for (;;) write(bytes)
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
      }
    }
    return {
      [Symbol.dispose]() {
        for (const file of files) rmSync(file, { force: true })
      },
    }
  }

  function takeInodes(): Disposable {
    const directory = join(fixture.home.root, 'fill')
    mkdirSync(directory)
    try {
      for (let i = 0; ; i++) writeFileSync(join(directory, String(i)), '')
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
    }
    return { [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
  }

  /** Two are left: a request's connection takes one. */
  async function takeDescriptors(): Promise<Disposable> {
    const { pid } = fixture.daemon
    const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
    const limit = (count: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`])
    let [end, free] = [0, 0]
    for (; free < 2; end++) if (!open.has(end)) free++
    limit(end)
    return { [Symbol.dispose]: () => void limit(1024) }
  }

  async function takeProcesses(): Promise<AsyncDisposable> {
    const cgroup = cgroupOfItsOwn('pids')
    writeFileSync(join(cgroup.directory, 'pids.max'), '1')
    return {
      async [Symbol.asyncDispose]() {
        writeFileSync(join(cgroup.directory, 'pids.max'), 'max')
        await cgroup[Symbol.asyncDispose]()
      },
    }
  }

  /** The daemon alone is in it, until it is disposed of. */
  function cgroupOfItsOwn(
    controller: string,
  ): AsyncDisposable & { readonly directory: string; readonly version: 1 | 2 } {
    const hierarchies = cgroupHierarchies()
    const { version, mountPoint } =
      hierarchies.find(({ controllers }) => controllers.includes(controller)) ??
      hierarchies.find(({ version }) => version === 2)!
    const directory = join(mountPoint, `${fixture.home.cgroupParent}-daemon`)
    mkdirSync(directory)
    if (version === 2) writeFileSync(join(mountPoint, 'cgroup.subtree_control'), `+${controller}`)
    const { pid } = fixture.daemon
    const own = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
      .split('\n')
      .find((line) => (version === 2 ? line.startsWith('0:') : line.split(':')[1]!.split(',').includes(controller)))!
    writeFileSync(join(directory, 'cgroup.procs'), String(pid))
    return {
      directory,
      version,
      async [Symbol.asyncDispose]() {
        if (existsSync(`/proc/${pid}`)) {
          writeFileSync(join(mountPoint, own.split(':').slice(2).join(':'), 'cgroup.procs'), String(pid))
        }
        // Programs that it had begun end after it.
        await eventually(
          () => readFileSync(join(directory, 'cgroup.procs'), 'utf8'),
          (pids) => pids === '',
        )
        rmdirSync(directory)
      },
    }
  }
})
