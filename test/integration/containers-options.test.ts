import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import type { ApiClient } from '../support/api-client.ts'
import { cgroupLimit } from '../support/cgroup-limit.ts'
import { type DaemonFixture, daemonFixture, runContainer, runToEnd } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { busyboxImage } from '../support/test-image.ts'

runInOwnNamespaces(import.meta.filename)

/** Docker's 14. */
const DEFAULT_CAPABILITIES = 0xa80425fbn
const CAP_CHOWN = 1n << 0n
const CAP_NET_ADMIN = 1n << 12n
const MIB = 2 ** 20

/** An image whose config says something on every subject. */
const configured = busyboxImage({
  layers: [[{ path: 'entry', mode: 0o755, content: '#!/bin/sh\necho entry "$@"\n' }]],
  config: {
    Entrypoint: ['/entry'],
    Cmd: ['cmd'],
    Env: ['PATH=/usr/bin:/bin', 'FROM=image', 'BOTH=image'],
    User: 'app',
    WorkingDir: '/srv/app',
    StopSignal: 'SIGUSR1',
    Labels: { origin: 'image', tier: 'image' },
  },
})

for (const runtime of ['crun', 'runc'] as const)
  describe(`options of a container with ${runtime}`, () => {
    let fixture: DaemonFixture
    let image: string
    before(async () => {
      fixture = await daemonFixture({ runtime, images: { configured }, env: { CONDENSER_TEST_SECRET: 'secret' } })
      image = `${fixture.registry.host}/configured`
    })
    afterEach(() => fixture.clear())
    after(() => fixture[Symbol.asyncDispose]())

    const api = (): ApiClient => fixture.daemon.api
    const inspect = async (ref: string) => (await api().get(`/v1/containers/${ref}/inspect`)).json.data
    const remove = (ref: string) => api().delete(`/v1/containers/${ref}/actions/delete?force=true`)
    /** What a shell script says that runs as the container's process. */
    // In one stream, because what goes to two comes in no order.
    const say = async (script: string, body: object = {}) =>
      (await runToEnd(fixture, { command: ['sh', '-c', `exec 2>&1; ${script}`], ...body })).output

    // What the engine decides whatever the runtime.
    if (runtime === 'crun') {
      test('entrypoint, command and args, with those of the image', async () => {
        const cases: readonly [object, string][] = [
          [{}, 'entry cmd'],
          [{ args: ['a', 'b c'] }, 'entry a b c'],
          [{ command: ['echo', 'c'] }, 'c'],
          [{ command: ['echo'], args: ['a'] }, 'a'],
          [{ entrypoint: ['echo', 'e'] }, 'e'],
          [{ entrypoint: ['echo'], command: ['c'], args: ['a'] }, 'c a'],
        ]
        for (const [body, output] of cases) {
          assert.equal((await runToEnd(fixture, { image, ...body })).output, `${output}\n`, JSON.stringify(body))
        }
      })

      test('a user by name or number, with a group or without', async () => {
        const cases: readonly [string, string][] = [
          ['app', '1000 1000 1000 2000'],
          ['1000', '1000 1000 1000 2000'],
          ['app:daemon', '1000 1 1'],
          ['1:2000', '1 2000 2000'],
          ['4242', '4242 0 0'],
          ['4242:4343', '4242 4343 4343'],
        ]
        for (const [user, ids] of cases) {
          assert.equal(await say('echo $(id -u) $(id -g) $(id -G)', { user }), `${ids}\n`, user)
        }
      })

      test('a user or group that the image does not have is refused by name', async () => {
        for (const user of ['nobody-here', 'app:no-group']) {
          const { id } = (await api().post('/v1/containers', { image: fixture.image, user })).json.data
          const { status, json } = await api().post(`/v1/containers/${id}/actions/start`, {})
          assert.equal(status, 400, json.message)
          assert.match(json.message, new RegExp(user.split(':').at(-1)!))
          await remove(id)
        }
      })

      test('labels, with those of the image, and lists that filter by them', async () => {
        const create = async (body: object): Promise<string> =>
          (await api().post('/v1/containers', { image, ...body })).json.data.id
        const one = await create({ name: 'one', labels: { tier: 'web', zone: 'a=b' } })
        const two = await create({ name: 'two', labels: { tier: 'db' } })
        const list = async (query: string) =>
          ((await api().get(`/v1/containers?${query}`)).json.data ?? []).map(
            ({ containerId }: { containerId: string }) => containerId,
          )
        assert.deepEqual((await inspect('one')).metadata.labels, { origin: 'image', tier: 'web', zone: 'a=b' })
        assert.deepEqual(await list('label=origin=image'), [one, two])
        assert.deepEqual(await list('label=tier=db'), [two])
        assert.deepEqual(await list('label=zone=a%3Db'), [one])
        assert.deepEqual(await list('label=origin=image&label=tier=image'), [])
        assert.deepEqual(await list('name=two'), [two])
        assert.deepEqual(await list('state=created&name=one'), [one])
        assert.deepEqual(await list('all=false'), [])
        for (const id of [one, two]) await remove(id)
      })
    }

    test('environment, user, groups and directory of the image, and what is asked for instead', async () => {
      const script = 'echo $FROM $BOTH $MORE; id; pwd; echo $HOME'
      const app = 'uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)'
      assert.equal(await say(script, { image }), `image image\n${app}\n/srv/app\n/home\n`)
      const body = { image, env: ['BOTH=request', 'MORE=x=y'], user: '', workdir: '/made/for/it' }
      const root = 'uid=0(root) gid=0(root) groups=0(root)'
      assert.equal(await say(script, body), `image request x=y\n${root}\n/made/for/it\n/root\n`)
    })

    test('host name, hosts and resolv.conf', async () => {
      const command = ['sh', '-c', 'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf']
      const id = await runContainer(fixture, { command, hostname: 'web.example' })
      await api().post(`/v1/containers/${id}/actions/wait`)
      const { address } = (await api().get(`/v1/containers/${id}`)).json.data
      const { text } = await api().get(`/v1/containers/${id}/log?tail_lines=100`)
      assert.match(text, /^web\.example\nweb\.example\n127\.0\.0\.1\s+localhost\n/)
      assert.ok(text.includes(`${address}\tweb.example web\n`), text)
      assert.match(text, /^nameserver (?!127\.)/m)
      await remove(id)
      assert.match(await say('hostname'), /^[0-9a-f]{12}\n$/)
    })

    test('memory, processors and processes are limited in its cgroup', async () => {
      const command = ['sleep', '1000']
      const limited = await runContainer(fixture, { command, memory: '64m', cpus: 0.5, pids: 20 })
      const { pid } = (await inspect(limited)).status
      for (const path of cgroupsOf(pid)) assert.ok(path.startsWith(`${fixture.home.cgroupParent}/`), path)
      assert.equal(cgroupLimit(pid, 'memory', 'memory.limit_in_bytes', 'memory.max'), `${64 * MIB}`)
      assert.match(cgroupLimit(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max'), /^50000( 100000)?$/)
      assert.equal(cgroupLimit(pid, 'pids', 'pids.max', 'pids.max'), '20')
      await remove(limited)

      const free = await runContainer(fixture, { command })
      assert.match(cgroupLimit((await inspect(free)).status.pid, 'pids', 'pids.max', 'pids.max'), /^max$/)
      await remove(free)
    })

    test('capabilities: as docker, more, fewer, none', async () => {
      const effective = async (body: object) =>
        BigInt(`0x${/CapEff:\s*(\w+)/.exec(await say('grep CapEff /proc/self/status', body))?.[1]}`)
      assert.equal(await effective({}), DEFAULT_CAPABILITIES)
      assert.equal(await effective({ capAdd: ['net_admin'] }), DEFAULT_CAPABILITIES | CAP_NET_ADMIN)
      assert.equal(await effective({ capDrop: ['CAP_CHOWN'] }), DEFAULT_CAPABILITIES & ~CAP_CHOWN)
      assert.equal(await effective({ capDrop: ['ALL'], capAdd: ['CHOWN'] }), CAP_CHOWN)
      assert.equal(await effective({ user: 'app' }), 0n)
      assert.equal(await say('ip link set lo down && echo done', { capAdd: ['NET_ADMIN'] }), 'done\n')
    })

    test('a read-only root, and a tmpfs to write to', async () => {
      const script = 'touch /x /etc/x /run/x; ls /run; dd if=/dev/zero of=/run/x bs=1k count=2000 || echo full'
      const output = await say(script, { readOnly: true, tmpfs: ['/run:size=1m,mode=700'] })
      assert.match(output, /\/x: Read-only file system\n.*\/etc\/x: Read-only file system\nx\n/)
      assert.match(output, /full\n$/)
    })

    test('mounts, to write or only to read; a file too', async (t) => {
      const directory = mkdtempSync('/var/tmp/cd-mount-')
      t.after(() => rmSync(directory, { recursive: true }))
      writeFileSync(join(directory, 'given'), 'given\n')
      const mount = [`${directory}:/rw`, `${directory}:/ro:ro`, `${directory}/given:/deep/below/file:ro`]
      const script = 'cat /deep/below/file; echo written > /rw/made; cat /ro/made; echo x > /ro/made'
      assert.match(await say(script, { mount }), /^given\nwritten\n.*\/ro\/made: Read-only file system\n$/)
      assert.equal(readFileSync(join(directory, 'made'), 'utf8'), 'written\n')
    })

    test('the stop signal: asked for, of the image, or SIGTERM', async () => {
      const script =
        'for s in TERM USR1 INT; do trap "echo $s; exit 7" $s; done; echo ready; while :; do sleep 0.05; done'
      const cases: readonly [object, string][] = [
        [{ image }, 'USR1'],
        [{ image, stopSignal: 'SIGINT' }, 'INT'],
        [{}, 'TERM'],
      ]
      for (const [body, signal] of cases) {
        const id = await runContainer(fixture, { command: ['sh', '-c', script], ...body })
        await logged(id, 'ready')
        assert.equal((await api().post(`/v1/containers/${id}/actions/stop`)).status, 200)
        assert.equal((await inspect(id)).status.exitCode, 7)
        assert.equal((await api().get(`/v1/containers/${id}/log?tail_lines=1`)).text, `${signal}\n`)
        await remove(id)
      }
    })

    test('who ignores the stop signal is killed after stopTimeout', async () => {
      const command = ['sh', '-c', 'trap "echo ignored" TERM; echo ready; while :; do sleep 0.05; done']
      const id = await runContainer(fixture, { command, stopTimeout: 2.5 })
      await logged(id, 'ready')
      assert.equal((await api().post(`/v1/containers/${id}/actions/stop`)).status, 200)
      const { status, spec } = await inspect(id)
      assert.deepEqual([status.exitCode, spec.stopTimeoutMs], [137, 2500])
      assert.match((await api().get(`/v1/containers/${id}/log?tail_lines=1`)).text, /ignored/)
      await remove(id)
    })

    test('autoRemove removes it when it is stopped, too', async () => {
      const id = await runContainer(fixture, { command: ['sleep', '1000'], autoRemove: true })
      assert.equal((await api().post(`/v1/containers/${id}/actions/stop?timeout=0`)).status, 200)
      await eventually(
        () => api().get(`/v1/containers/${id}`),
        ({ status }) => status === 404,
      )
    })

    test('nothing of the daemon is inside: no variable, no descriptor, no process; in an exec neither', async () => {
      const script = 'env | sort; ls /proc/self/fd; ls /proc | grep -c ^[0-9]'
      const clean = (output: string) => {
        const names = [...output.matchAll(/^(\w+)=/gm)].map(([, name]) => name)
        assert.deepEqual(
          names.filter((name) => !['HOME', 'HOSTNAME', 'PATH', 'PWD', 'SHLVL', 'OLDPWD'].includes(name!)),
          [],
        )
        // 3 is what ls itself reads.
        assert.match(output, /^0\n1\n2\n3\n\d\n$/m)
      }
      clean(await say(script))

      const id = await runContainer(fixture, { command: ['sleep', '1000'] })
      const body = { command: ['sh', '-c', script], wait: true }
      const { stdout } = (await api().post(`/v1/containers/${id}/actions/exec`, body)).json.data
      clean(stdout)
      await remove(id)
    })

    test('the default sandbox', async () => {
      const output = await say(`
        grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status
        head -c 1 /proc/kcore | wc -c
        ls /sys/firmware | wc -l
        unshare -U true || echo no unshare
        mount -t tmpfs none /mnt || echo no mount
        mknod /tmp/mem c 1 1 && cat /tmp/mem || echo no device
        echo 1 > /proc/sys/kernel/printk || echo no sysctl
        ls /dev | sort | tr '\\n' ' '`)
      assert.match(output, /Seccomp:\s+2\n/)
      assert.match(output, /^0\n0\n/m)
      for (const denied of ['no unshare', 'no mount', 'no device', 'no sysctl']) assert.ok(output.includes(denied))
      const expected = 'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'.split(' ')
      const devices = output.split('\n').at(-1)!.trim().split(' ')
      assert.deepEqual(
        devices.filter((name) => !expected.includes(name)),
        [],
      )
    })

    async function logged(id: string, text: string): Promise<void> {
      await eventually(
        () => api().get(`/v1/containers/${id}/log?tail_lines=100`),
        (log) => log.text.includes(text),
      )
    }
  })

/** The cgroups of a process in which its container has limits: those that are not the root. */
function cgroupsOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(':').slice(2).join(':'))
    .filter((path) => path !== '/')
}
