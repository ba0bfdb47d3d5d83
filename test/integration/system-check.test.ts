import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { unmount } from '../../src/linux/mount.ts'
import { assertAgreement } from '../support/agreement.ts'
import { answers } from '../support/crash.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const UNKNOWN = 'ab'.repeat(32)

interface Damage {
  readonly name: string
  damage(): void | Promise<void>
  /** What the check says of it. */
  readonly part: string
  readonly subject: RegExp
  readonly problem: RegExp
  /** By hand, where the check leaves it alone. */
  undo?(): void | Promise<void>
}

/**
 * Each damages what a daemon keeps while it runs: the check must find it, mend it, and leave what runs alone. What the
 * daemon mends unasked is in network-inspect.test.ts and networks-guard.test.ts.
 */
describe('system check', () => {
  let fixture: DaemonFixture
  let pids: Record<string, number>
  const api = () => fixture.daemon.api
  const inRun = (...path: string[]) => join(fixture.home.run, ...path)
  const inRoot = (...path: string[]) => join(fixture.home.root, ...path)
  const sh = (command: string) => execFileSync('sh', ['-c', command], { encoding: 'utf8' })
  const portOf = (bridge: string) => /^\d+: (\w+)/.exec(sh(`ip -o link show master ${bridge}`))![1]
  const pidOf = async (name: string): Promise<number> => (await api().get(`/v1/containers/${name}`)).json.data.pid
  const idOf = async (name: string): Promise<string> =>
    (await api().get(`/v1/containers/${name}`)).json.data.containerId
  const check = async (repair: boolean) => (await api().post('/v1/system/check', { repair })).json.data

  before(async () => {
    fixture = await daemonFixture()
    assert.equal((await api().post('/v1/networks', { bridge: 'apart' })).status, 200)
    const command = ['httpd', '-f', '-p', '80', '-h', '/etc']
    await runContainer(fixture, { name: 'web', command, port: ['18080:80', '127.0.0.1:18081:80'] })
    await runContainer(fixture, { name: 'other', command, network: 'apart', mount: ['data:/data'] })
    await api().post('/v1/containers', { image: fixture.image, name: 'made', command })
    pids = { web: await pidOf('web'), other: await pidOf('other') }
  })
  after(() => fixture[Symbol.asyncDispose]())

  const damages: readonly Damage[] = [
    {
      name: 'a link that is a port of its bridge no more',
      damage: () => void sh(`ip link set ${portOf(fixture.home.bridge)} nomaster`),
      part: 'network',
      subject: /container web/,
      problem: /leads to no port of the bridge/,
    },
    {
      name: 'a link that was deleted',
      damage: () => void sh(`ip link delete ${portOf(fixture.home.bridge)}`),
      part: 'network',
      subject: /container web/,
      problem: /has no link eth0/,
    },
    {
      name: 'a port of the bridge that leads to nobody',
      damage: () =>
        void sh(`ip link add rd0123456789ab type veth && ip link set rd0123456789ab master ${fixture.home.bridge}`),
      part: 'network',
      subject: /link rd0123456789ab/,
      problem: /leads to no container/,
    },
    {
      name: 'a network namespace that was unmounted',
      damage: () => {
        for (const name of readdirSync(inRun('netns'))) unmount(inRun('netns', name))
      },
      part: 'network',
      subject: /container (web|other)/,
      problem: /its network namespace is not at/,
    },
    {
      name: 'a network namespace that nobody has',
      damage: () => writeFileSync(inRun('netns', UNKNOWN.slice(0, 12)), ''),
      part: 'network',
      subject: /network namespace abab/,
      problem: /no record names it/,
    },
    {
      name: 'a bundle that nobody has',
      damage: () => void mkdirSync(inRun('containers', UNKNOWN.slice(0, 12), 'rootfs'), { recursive: true }),
      part: 'file',
      subject: /abab/,
      problem: /no record names it/,
    },
    {
      name: 'files of a container that nobody has',
      damage: () => void mkdirSync(inRoot('containers', UNKNOWN.slice(0, 12), 'upper/x'), { recursive: true }),
      part: 'file',
      subject: /abab/,
      problem: /no record names it/,
    },
    {
      name: 'an exit file that nobody waits for',
      damage: () => writeFileSync(inRun('exits', UNKNOWN), '0'),
      part: 'process',
      subject: /container abab/,
      problem: /exits\/.* is there/,
    },
    {
      name: 'a conmon that nobody knows',
      damage: async () => {
        // The check goes by its arguments, as no two daemons have the same.
        const child = spawn(
          'sh',
          [
            '-c',
            'sleep 60; :',
            'conmon',
            '--exit-dir',
            inRun('exits'),
            '--cid',
            UNKNOWN,
            '--bundle',
            inRun('containers', UNKNOWN.slice(0, 12)),
            '--log-path',
            'k8s-file:/dev/null',
          ],
          { stdio: 'ignore', detached: true },
        )
        await new Promise((resolve) => child.once('spawn', resolve))
        child.unref()
      },
      part: 'process',
      subject: /container abab/,
      problem: /a conmon watches it/,
    },
    {
      name: 'what a start left of a container that does not run',
      damage: async () => {
        const id = await idOf('made')
        mkdirSync(inRun('containers', id))
        writeFileSync(inRun('containers', id, 'pidfile'), '')
      },
      part: 'file',
      subject: /container made/,
      problem: /is still there/,
    },
    {
      name: 'the directory of a volume, gone',
      damage: () => rmSync(inRoot('volumes/data/_data'), { recursive: true }),
      part: 'volume',
      subject: /volume data/,
      problem: /is gone/,
    },
    {
      name: 'the directory of a volume that no record names',
      damage: () => void mkdirSync(inRoot('volumes/lost/_data'), { recursive: true }),
      part: 'volume',
      subject: /lost/,
      problem: /no record names it/,
      undo: () => rmSync(inRoot('volumes/lost'), { recursive: true }),
    },
    {
      name: 'the directory of a layer that no record names',
      damage: () => void mkdirSync(inRoot('l/zz/etc'), { recursive: true }),
      part: 'layer',
      subject: /directory zz/,
      problem: /no record names it/,
    },
    {
      name: 'a blob that nothing needs',
      damage: () => writeFileSync(join(blobs(), 'c'.repeat(64)), 'x'),
      part: 'blob',
      subject: /cccc/,
      problem: /nothing needs it/,
    },
    {
      name: 'the files of a container, gone',
      damage: async () => renameSync(inRoot('containers', await idOf('made'), 'upper'), inRoot('away')),
      part: 'file',
      subject: /container made/,
      problem: /upper is gone/,
      undo: async () => renameSync(inRoot('away'), inRoot('containers', await idOf('made'), 'upper')),
    },
  ]
  const blobs = () => inRoot('content', 'blobs', 'sha256')

  test('what is as it should be is said to be', () => assertAgreement(api()))

  for (const { name, damage, part, subject, problem, undo } of damages)
    test(`finds and mends ${name}`, async () => {
      await damage()
      const found = await check(false)
      assert.equal(found.ok, false)
      const finding = found.findings.find(
        (it: { part: string; subject: string; problem: string }) =>
          it.part === part && subject.test(it.subject) && problem.test(it.problem),
      )
      assert.ok(finding, JSON.stringify(found.findings, undefined, 2))
      const repaired = await check(true)
      assert.equal(repaired.ok, undo === undefined, JSON.stringify(repaired.findings, undefined, 2))
      assert.ok(repaired.findings.every((it: { mended: boolean; advice: string }) => it.mended || it.advice !== ''))
      await undo?.()
      await assertAgreement(api())
      assert.deepEqual({ web: await pidOf('web'), other: await pidOf('other') }, pids)
      await answers('http://127.0.0.1:18080/passwd')
      await answers('http://127.0.0.1:18081/passwd')
    })

  test('a root filesystem that was unmounted under a container is told of; its restart mends it', async () => {
    unmount(inRun('containers', await idOf('web'), 'rootfs'))
    const { findings } = await check(true)
    assert.equal(findings.length, 1)
    assert.match(findings[0].problem, /nothing is mounted at/)
    assert.match(findings[0].advice, /restart web/)
    const health = (await api().get('/v1/health')).json.data
    assert.deepEqual([health.status, health.problems], ['degraded', findings])
    const { problems } = (await api().get('/v1/containers/web/inspect')).json.data
    assert.deepEqual(problems, [findings[0].problem])
    await answers('http://127.0.0.1:18080/passwd')
    assert.equal((await api().post('/v1/containers/web/actions/restart', {})).status, 200)
    await assertAgreement(api())
    assert.equal((await api().get('/v1/health')).json.data.status, 'ok')
    assert.equal((await api().get('/v1/containers/web/inspect')).json.data.problems, undefined)
  })

  test('a layer that is gone, and a blob that was cut short, come again with the next pull', async () => {
    for (const name of ['web', 'other', 'made']) await api().delete(`/v1/containers/${name}/actions/delete?force=true`)
    await api().delete('/v1/networks/apart/actions/delete')
    await fixture.clear()
    const [layer] = readdirSync(inRoot('l')).filter((name) => /^[0-9a-z]+$/.test(name))
    rmSync(inRoot('l', layer!), { recursive: true })
    for (const blob of readdirSync(blobs())) truncateSync(join(blobs(), blob), 1)
    const found = await check(true)
    assert.deepEqual(new Set(found.findings.map(({ part }: { part: string }) => part)), new Set(['layer', 'blob']))
    assert.ok(found.ok)
    assert.equal((await api().post('/v1/images', { image: fixture.image })).status, 200)
    await assertAgreement(api())
    await runContainer(fixture, { name: 'again', command: ['true'] })
  })

  test('checks that run beside everything else find nothing', async () => {
    await fixture.clear()
    let ended = false
    let checks = 0
    const churn = async (name: string) => {
      for (let round = 0; round < 6 || checks < 4; round++) {
        await runContainer(fixture, {
          name,
          command: ['sh', '-c', round % 2 === 0 ? 'exit 3' : 'sleep 30'],
          port: ['0:80'],
        })
        await api().delete(`/v1/containers/${name}/actions/delete?force=true`)
      }
    }
    const checking = (async () => {
      for (; !ended; checks++) await assertAgreement(api())
    })()
    checking.catch(() => {
      checks = Number.POSITIVE_INFINITY
    })
    await Promise.all(['a', 'b', 'c'].map(churn)).finally(() => {
      ended = true
    })
    await checking
  })
})
