import assert from 'node:assert/strict'
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { readRecordsCopy } from '../../src/store/records-copy.ts'
import { assertAgreement } from '../support/agreement.ts'
import { answers } from '../support/crash.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

describe('a daemon whose database is damaged', () => {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api
  const file = () => join(fixture.home.root, 'condenser.db')
  const damagedFiles = () => readdirSync(fixture.home.root).filter((name) => /^condenser\.db\.damaged-\w+$/.test(name))

  /** All but its first page, and the log that could mend it. */
  function scribble(): void {
    const { size } = statSync(file())
    const fd = openSync(file(), 'r+')
    writeSync(fd, Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096)
    closeSync(fd)
  }

  /** The second copy follows the database in its own time. */
  async function untilCopied(): Promise<void> {
    const stored = () => {
      using database = new DatabaseSync(file(), { readOnly: true })
      return database
        .prepare('SELECT json FROM objects')
        .all()
        .map(({ json }) => JSON.stringify(JSON.parse(String(json))))
    }
    const copied = () =>
      readRecordsCopy(join(fixture.home.root, 'condenser.records'))?.map(({ object }) => JSON.stringify(object))
    await eventually(
      () => ({ stored: stored().toSorted(), copied: copied()?.toSorted() }),
      ({ stored, copied }) => stored.join() === copied?.join(),
    )
  }

  async function killAndLoseDatabase(): Promise<void> {
    await fixture.daemon.kill()
    for (const suffix of ['', '-wal', '-shm']) rmSync(file() + suffix, { force: true })
  }

  async function look() {
    const list = async (path: string) => (await api().get(path)).json.data
    const containers = await list('/v1/containers')
    const inspected = await Promise.all(
      containers.map(async ({ containerId }: { containerId: string }) => {
        const { metadata, spec, status, sandbox } = await list(`/v1/containers/${containerId}/inspect`)
        const { name, uid, labels, createdAt } = metadata
        return { name, uid, labels, createdAt, spec, status, attachments: sandbox.spec.attachments }
      }),
    )
    const images = (await list('/v1/images')) as object[]
    return { containers: inspected, images, networks: await list('/v1/networks'), volumes: await list('/v1/volumes') }
  }

  before(async () => {
    fixture = await daemonFixture()
    const command = ['httpd', '-f', '-p', '80', '-h', '/data']
    await api().post('/v1/networks', { bridge: 'apart' })
    await api().post('/v1/volumes', { name: 'kept', labels: { of: 'value' } })
    await runContainer(fixture, {
      name: 'web',
      command: ['sh', '-c', 'echo hello > /data/index.html; exec httpd -f -p 80 -h /data'],
      port: ['18080:80'],
      mount: ['kept:/data'],
      labels: { a: 'b' },
      restart: 'unless-stopped',
    })
    await runContainer(fixture, { name: 'other', command, network: 'apart', tmpfs: ['/data'] })
    await runContainer(fixture, { name: 'ended', command: ['sh', '-c', 'exit 5'] })
    await api().post('/v1/containers/ended/actions/wait')
    await api().post('/v1/containers', { image: fixture.image, name: 'made', command })
    await answers('http://127.0.0.1:18080/')
    await untilCopied()
  })
  after(() => fixture[Symbol.asyncDispose]())

  const damages: readonly (readonly [string, () => void, boolean])[] = [
    ['is overwritten', scribble, true],
    ['is cut short', () => truncateSync(file(), 5000), true],
    ['is emptied', () => truncateSync(file(), 0), false],
    ['is gone', () => rmSync(file()), false],
  ]
  for (const [how, damage, isKept] of damages)
    test(`and ${how}, takes everything in again, and touches nothing that runs`, async () => {
      const before = await look()
      const kept = damagedFiles().length
      await fixture.daemon.stop()
      for (const suffix of ['-wal', '-shm']) rmSync(file() + suffix, { force: true })
      damage()
      await fixture.restart()
      assert.deepEqual(await look(), before)
      assert.equal(damagedFiles().length, kept + (isKept ? 1 : 0))
      assert.match(fixture.daemon.log(), /the records were restored from their second copy/)
      await assertAgreement(api())
      await answers('http://127.0.0.1:18080/')
      await untilCopied()
    })

  test('after SIGKILL goes on from what the copy had', async () => {
    const id = await runContainer(fixture, { name: 'late', command: ['sleep', '1000'] })
    const { pid } = (await api().get('/v1/containers/late')).json.data
    await untilCopied()
    await killAndLoseDatabase()
    await fixture.restart()
    assert.equal((await api().get('/v1/containers/late')).json.data.pid, pid)
    await assertAgreement(api())
    assert.equal((await api().delete(`/v1/containers/${id}/actions/delete?force=true`)).status, 200)
  })

  test('while it is in use, says so, and mends itself when it is started again', async () => {
    await untilCopied()
    const before = await look()
    // Emptied of its log, so that the file is what counts.
    await fixture.restart()
    scribble()
    const { ok, findings } = (await api().post('/v1/system/check', {})).json.data
    assert.equal(ok, false)
    assert.equal(findings[0].part, 'store')
    assert.match(findings[0].advice, /restart the daemon/)
    await fixture.daemon.kill()
    await fixture.restart()
    assert.deepEqual(await look(), before)
    await assertAgreement(api())
  })

  test('removes nothing that it does not know, and tells of it', async () => {
    const id = await runContainer(fixture, { name: 'unknown', command: ['sleep', '1000'] })
    const { pid } = (await api().get('/v1/containers/unknown')).json.data
    await untilCopied()
    await killAndLoseDatabase()
    const copy = join(fixture.home.root, 'condenser.records')
    const lines = readFileSync(copy, 'utf8').split('\n')
    writeFileSync(copy, lines.filter((line) => !line.includes(id)).join('\n'))
    await fixture.restart()
    assert.equal((await api().get('/v1/containers/unknown')).status, 404)
    assert.doesNotThrow(() => process.kill(pid, 0))
    const { findings } = (await api().post('/v1/system/check', {})).json.data
    assert.ok(findings.some(({ problem }: { problem: string }) => problem.includes('no record names it')))
    const repaired = (await api().post('/v1/system/check', { repair: true })).json.data
    assert.ok(repaired.ok, JSON.stringify(repaired.findings, undefined, 2))
    assert.throws(() => process.kill(pid, 0))
    await assertAgreement(api())
  })
})
