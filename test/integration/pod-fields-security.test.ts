import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { type KubeObject, kubeFixture } from '../support/kube-fixture.ts'
import { podManifest } from '../support/manifests.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { busyboxImage } from '../support/test-image.ts'

runInOwnNamespaces(import.meta.filename)

const SLEEP = ['sleep', '1000']
const CAP = { CHOWN: 1n << 0n, SETUID: 1n << 7n, NET_ADMIN: 1n << 12n }
/** What the daemon may hand on. */
const ALL_CAPABILITIES = /CapBnd:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]

for (const runtime of ['crun', 'runc'] as const)
  describe(`security contexts with ${runtime}`, () => {
    const images = {
      app: busyboxImage({ config: { User: 'app' } }),
      numbered: busyboxImage({ config: { User: '1000' } }),
    }
    const the = kubeFixture({ runtime, images })
    const container = (name: string, securityContext: object = {}, more: object = {}) => ({
      name,
      image: the().image,
      command: SLEEP,
      securityContext,
      ...more,
    })
    const pod = (containers: readonly object[], securityContext: object = {}, more: object = {}) =>
      podManifest({ terminationGracePeriodSeconds: 0, containers, securityContext, ...more })
    const run = async (...args: Parameters<typeof pod>) => {
      await the().apply(pod(...args))
      return await the().untilReady('web')
    }
    const say = (name: string, script: string) => the().sayIn('web', name, script)
    const line = async (name: string, key: string) =>
      new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(await say(name, 'cat /proc/1/status'))![1]!
    const capabilities = async (name: string, set: string) => BigInt(`0x${await line(name, set)}`)

    test('as whom a container runs: its own context before that of its pod, with groups of the pod and the image', async () => {
      await run(
        [
          container('pods'),
          container('own', { runAsUser: 1, runAsGroup: 7 }),
          container('stranger', { runAsUser: 4711 }),
        ],
        { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000, 5000], fsGroup: 6000 },
      )
      // Of process 1, which is what has been asked for.
      const ids = async (name: string) => {
        const status = await say(name, 'cat /proc/1/status')
        const ofKey = (key: string) => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)![1]!.trim().split(/\s+/)
        return {
          uid: ofKey('Uid')[0],
          gid: ofKey('Gid')[0],
          groups: ofKey('Groups')
            .map(Number)
            .toSorted((a, b) => a - b),
        }
      }
      assert.deepEqual(await ids('pods'), { uid: '1000', gid: '3000', groups: [2000, 3000, 4000, 5000, 6000] })
      assert.deepEqual(await ids('own'), { uid: '1', gid: '7', groups: [7, 4000, 5000, 6000] })
      assert.deepEqual(await ids('stranger'), { uid: '4711', gid: '3000', groups: [3000, 4000, 5000, 6000] })
    })

    test('runAsNonRoot keeps what would be root from being made, and lets others run', async () => {
      const registry = the().fixture.registry.host
      await the().apply(
        pod(
          [
            container('root'),
            container('zero', { runAsUser: 0 }),
            container('named', {}, { image: `${registry}/app` }),
            container('given', { runAsUser: 1000 }),
            container('numbered', {}, { image: `${registry}/numbered` }),
            container('may', { runAsNonRoot: false }),
          ],
          { runAsNonRoot: true },
        ),
      )
      const { status } = await the().until('pod', 'web', (object) => {
        const statuses: KubeObject[] = object.status.containerStatuses ?? []
        return statuses.length === 6 && statuses.every(({ state }) => state.running || state.waiting.message)
      })
      const told = status.containerStatuses.map(({ name, state }: KubeObject) => [
        name,
        state.running ? 'runs' : `${state.waiting.reason}: ${state.waiting.message}`,
      ])
      const refused = (why: string) => `CreateContainerConfigError: ${why}`
      assert.deepEqual(Object.fromEntries(told), {
        root: refused('container has runAsNonRoot and image will run as root'),
        zero: refused("container's runAsUser breaks non-root policy"),
        named: refused(
          'container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root',
        ),
        given: 'runs',
        numbered: 'runs',
        may: 'runs',
      })
      assert.equal(status.phase, 'Pending')
    })

    test('a root file system that can only be read, but for volumes', async () => {
      const volumeMounts = [{ name: 'data', mountPath: '/data' }]
      await run(
        [container('a', { readOnlyRootFilesystem: true }, { volumeMounts }), container('b')],
        {},
        { volumes: [{ name: 'data', emptyDir: {} }] },
      )
      const script =
        'for file in /x /etc/x /etc/hosts /data/x; do echo x 2>/dev/null >> $file && echo $file; done; true'
      assert.equal(await say('a', `(${script}) 2>/dev/null`), '/data/x\n')
      assert.equal(await say('b', '(echo x > /x) && cat /x'), 'x\n')
    })

    test('capabilities: added, dropped, all dropped; no new ones by set-uid programs', async () => {
      await run([
        container('usual'),
        container('some', { capabilities: { add: ['NET_ADMIN'], drop: ['CHOWN'] } }),
        container('one', { capabilities: { add: ['CAP_CHOWN'], drop: ['ALL'] } }),
        container('user', { runAsUser: 1000, capabilities: { add: ['NET_ADMIN'] } }),
        container('fixed', { runAsUser: 1000, allowPrivilegeEscalation: false }),
      ])
      const usual = await capabilities('usual', 'CapEff')
      assert.equal(usual & CAP.NET_ADMIN, 0n)
      assert.ok(usual & CAP.CHOWN)
      assert.equal(await capabilities('some', 'CapEff'), (usual | CAP.NET_ADMIN) & ~CAP.CHOWN)
      assert.equal(await capabilities('one', 'CapBnd'), CAP.CHOWN)
      assert.match(
        await say('one', 'ip link add x type bridge; touch /x && chown 1 /x && echo chowned'),
        /not permitted\nchowned/,
      )
      assert.equal(
        await say('some', 'ip link add x type bridge && ip link del x && echo may; chown 1 /etc/passwd'),
        'may\nchown: /etc/passwd: Operation not permitted\n',
      )
      // Who is not root has what root could get only by a set-uid program.
      assert.equal(await capabilities('user', 'CapEff'), 0n)
      assert.ok((await capabilities('user', 'CapBnd')) & CAP.NET_ADMIN)
      assert.deepEqual([await line('user', 'NoNewPrivs'), await line('fixed', 'NoNewPrivs')], ['0', '1'])
    })

    test('privileged: all capabilities and devices, no filter, the host’s settings; escalation cannot be forbidden then', async () => {
      await run([container('a', { privileged: true }), container('b')])
      assert.equal(await line('a', 'CapEff'), ALL_CAPABILITIES)
      assert.equal(await line('a', 'Seccomp'), '0')
      const script = `mount -t tmpfs none /tmp && echo mounts; test -c /dev/kmsg && echo devices
        cat /proc/sys/kernel/printk_delay > /proc/sys/kernel/printk_delay && echo settings
        grep -q ' /sys sysfs rw' /proc/mounts && echo sysfs`
      const may = (name: string) => say(name, `exec 2>/dev/null; ${script}`)
      assert.deepEqual([await may('a'), await may('b')], ['mounts\ndevices\nsettings\nsysfs\n', ''])
      const both = pod([container('a', { privileged: true, allowPrivilegeEscalation: false })])
      const answer = await the().fixture.daemon.api.post('/v1/resource/apply', JSON.stringify(both))
      assert.equal(answer.status, 400, answer.text)
      assert.match(answer.json.message, /allowPrivilegeEscalation.*privileged/)
    })

    test('seccomp: the usual filter unless unconfined; a profile of one’s own cannot be had', async () => {
      const profile = (type: string, more: object = {}) => ({ seccompProfile: { type, ...more } })
      const containers = [
        container('pods'),
        container('own', profile('RuntimeDefault')),
        container('file', profile('Localhost', { localhostProfile: 'a.json' })),
      ]
      await the().apply(pod(containers, profile('Unconfined')))
      const isTold = ({ status }: KubeObject) => {
        const [pods, own, file] = status.containerStatuses ?? []
        return pods?.state.running && own.state.running && file.state.waiting?.reason === 'CreateContainerConfigError'
      }
      const { status } = await the().until('pod', 'web', isTold)
      assert.match(status.containerStatuses[2].state.waiting.message, /seccompProfile: .*no directory of profiles/)
      assert.deepEqual([await line('pods', 'Seccomp'), await line('own', 'Seccomp')], ['0', '2'])
    })

    test('what of /proc is hidden, unless it is unmasked', async () => {
      await run([container('a'), container('b', { procMount: 'Unmasked', appArmorProfile: { type: 'Unconfined' } })])
      const script = 'grep -c " /proc/" /proc/mounts; (echo 4096 > /proc/sys/kernel/msgmax) && echo writable'
      assert.match(
        await say('a', script),
        /^[1-9]\d*\nsh: can't create \S+: (Read-only file system|Permission denied)\n$/,
      )
      assert.equal(await say('b', script), '0\nwritable\n')
    })

    test('AppArmor: a profile that is asked for is in force, or the container is not made', async () => {
      const profile = (type: string, more: object = {}) => ({ appArmorProfile: { type, ...more } })
      await the().apply(
        pod([
          container('usual'),
          container('none', profile('Unconfined')),
          container('default', profile('RuntimeDefault')),
          container('absent', profile('Localhost', { localhostProfile: 'no-such' })),
        ]),
      )
      const { status } = await the().until('pod', 'web', (object) => {
        const statuses: KubeObject[] = object.status.containerStatuses ?? []
        return statuses.length === 4 && statuses.every(({ state }) => state.running || state.waiting.message)
      })
      const [usual, none, byDefault, absent] = status.containerStatuses.map(({ state }: KubeObject) => state)
      assert.ok(usual.running && none.running, JSON.stringify(status))
      assert.match(absent.waiting.message, /AppArmor profile "no-such": it is not loaded/)
      const { apparmor } = (await the().fixture.daemon.api.get('/v1/system/info')).json.data.host
      if (apparmor === '') {
        assert.equal(byDefault.waiting.reason, 'CreateContainerConfigError')
        assert.match(byDefault.waiting.message, /Cannot enforce AppArmor/)
        return
      }
      // From outside: one that is confined may not read that of its own.
      const confinement = async (name: string) => {
        const { pid } = await the().container('web', name)
        return readFileSync(`/proc/${pid}/attr/current`, 'utf8')
      }
      assert.equal(await confinement('none'), 'unconfined\n')
      for (const name of ['usual', 'default']) assert.match(await confinement(name), new RegExp(`^${apparmor} `))
    })

    test('sysctls: of the pod alone, in all its containers; those of the host are refused', async () => {
      const name = 'net.ipv4.tcp_keepalive_time'
      const file = `/proc/sys/${name.replaceAll('.', '/')}`
      const before = readFileSync(file, 'utf8')
      const sysctls = [
        { name, value: '1234' },
        { name: 'kernel/shm_rmid_forced', value: '1' },
      ]
      await run([container('a'), container('b')], { sysctls })
      for (const one of ['a', 'b'])
        assert.equal(await say(one, `cat ${file} /proc/sys/kernel/shm_rmid_forced`), '1234\n1\n')
      assert.equal(readFileSync(file, 'utf8'), before)
      for (const [bad, more] of [
        ['kernel.panic', {}],
        [name, { hostNetwork: true }],
      ] as const) {
        const text = JSON.stringify(pod([container('a')], { sysctls: [{ name: bad, value: '1' }] }, more))
        const answer = await the().fixture.daemon.api.post('/v1/resource/apply', text)
        assert.equal(answer.status, 400, answer.text)
        assert.match(answer.json.message, /securityContext\.sysctls\[0\]\.name/)
      }
    })
  })
