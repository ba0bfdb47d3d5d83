import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { MS_BIND, MS_SHARED, mount, unmount } from '../../src/linux/mount.ts'
import { runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { optionsFixture } from '../support/options-fixture.ts'

runInOwnNamespaces(import.meta.filename)

const SLEEP = { command: ['sleep', '1000'] }
const SHOW_NAMESPACES = 'for kind in pid ipc uts; do readlink /proc/self/ns/$kind; done'
const ALL_CAPABILITIES = /CapBnd:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]

for (const runtime of ['crun', 'runc'] as const)
  describe(`the sandbox of a container with ${runtime}`, () => {
    let shared: string
    // Before the daemon starts: its thread that spawns has a copy of the mounts of that moment.
    before(() => {
      shared = sharedMount()
    })
    const the = optionsFixture(runtime)
    after(() => {
      unmount(shared)
      rmSync(shared, { recursive: true })
    })

    test('pid, ipc and uts of the host', async () => {
      const script = `${SHOW_NAMESPACES}; hostname; cat /etc/hostname`
      const host = ['pid', 'ipc', 'uts'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`))
      const body = { pidMode: 'host', ipcMode: 'host', utsMode: 'host' }
      assert.equal(await the().say(script, body), `${[...host, hostname(), hostname()].join('\n')}\n`)
      const own = (await the().say(script, { pidMode: 'private' })).split('\n')
      for (const name of host) assert.ok(!own.includes(name), name)
    })

    test('pid, ipc and uts of another container, which must run', async () => {
      const { api, inspect, say, sayIn, fixture } = the()
      const one = await runContainer(fixture, {
        ...SLEEP,
        name: 'one',
        hostname: 'first',
        ipcMode: 'shareable',
        shmSize: '2m',
      })
      const modes = { pidMode: 'container:one', ipcMode: `container:${one}`, utsMode: 'container:one' }
      const two = await runContainer(fixture, { ...SLEEP, ...modes, name: 'two' })
      const namespaces = `${SHOW_NAMESPACES}; hostname`
      assert.equal(await sayIn('two', namespaces), await sayIn('one', namespaces))
      assert.match(
        await sayIn('two', 'ps; df -k /dev/shm; echo shared > /dev/shm/x'),
        /1 root .* sleep 1000\n[\s\S]*2048/,
      )
      assert.equal(await sayIn('one', 'cat /dev/shm/x'), 'shared\n')
      const { metadata, spec } = await inspect('two')
      const join = `container:${(await inspect('one')).metadata.uid}`
      assert.deepEqual([spec.pidMode, spec.ipcMode, spec.utsMode, spec.hostname], [join, join, join, 'first'])

      await api.post('/v1/containers/one/actions/stop?timeout=0')
      await api.post(`/v1/containers/${two}/actions/wait`)
      const answer = await api.post('/v1/containers/two/actions/start', {})
      assert.equal(answer.status, 409, answer.text)
      assert.match(answer.json.message, /container "one" is not running; start that one first/)
      assert.equal((await api.post('/v1/containers/one/actions/start', {})).status, 200)
      assert.equal((await api.post('/v1/containers/two/actions/start', {})).status, 200)
      await the().remove('one')
      await the().remove('two')
      assert.ok(metadata.name)
      assert.match(await say('df -k /dev/shm'), /65536/)
    })

    test('an init is process 1, forwards signals and reaps', async () => {
      const { api, inspect, sayIn, fixture } = the()
      const script = 'trap "exit 7" TERM; touch /ready; (sleep 0.1 &) ; while :; do sleep 0.05; done'
      const id = await runContainer(fixture, { command: ['sh', '-c', script], init: true })
      await sayIn(id, 'until [ -e /ready ]; do sleep 0.05; done')
      assert.match(await sayIn(id, 'cat /proc/1/cmdline | tr "\\0" " "'), /^\/sbin\/docker-init -- sh -c /)
      assert.match(await sayIn(id, 'echo x > /sbin/docker-init'), /Read-only|Text file busy|Permission/)
      await api.post(`/v1/containers/${id}/actions/stop`)
      const { status, spec } = await inspect(id)
      assert.deepEqual([status.exitCode, spec.init], [7, true])
    })

    test('privileged', async () => {
      const { say } = the()
      const script = `grep -E '^(CapEff|Seccomp):' /proc/self/status | tr '\\t\\n' '  '; mount -t tmpfs none /tmp && echo mounted
        echo 1 > /proc/sys/kernel/printk_delay; echo 0 > /proc/sys/kernel/printk_delay && echo sysctl
        head -c 1 /dev/kmsg > /dev/null; ls -l /dev/kmsg | cut -c1; grep -E ' /sys sysfs (rw|ro)' /proc/mounts | cut -d' ' -f4 | cut -c1-2
        ls /dev | wc -l`
      const lines = (await say(script, { privileged: true, capDrop: ['ALL'] })).trim().split('\n')
      assert.match(lines[0]!, new RegExp(`CapEff: ${ALL_CAPABILITIES} Seccomp: 0 mounted`))
      assert.deepEqual(lines.slice(1, 4), ['sysctl', 'c', 'rw'])
      assert.ok(Number(lines[4]) > 30, lines.join('\n'))
    })

    test('devices, by name or elsewhere, only to read; a directory', async () => {
      const { say, inspect, api, fixture } = the()
      const script = `ls -l $DEVICE | tr -s ' ' | cut -d' ' -f1,5,6; dd if=$DEVICE bs=1 count=0 2>/dev/null && echo may read
        echo x > $DEVICE && echo may write`
      const use = (device: string) =>
        say(script, { devices: [device], capAdd: ['SYSLOG'], env: [`DEVICE=${device.split(':').at(-2) ?? device}`] })
      assert.match(await use('/dev/kmsg'), /^c\S+ 1, 11\nmay read\nmay write\n$/)
      assert.match(await use('/dev/kmsg:/dev/other:r'), /^c\S+ 1, 11\nmay read\n.*Operation not permitted\n$/)
      const expected = readdirSync('/dev/net').toSorted().join('\n')
      assert.equal((await say('ls /dev/net', { devices: ['/dev/net'] })).trim(), expected)
      const { id } = (await api.post('/v1/containers', { image: fixture.image, devices: ['/dev/kmsg:r'] })).json.data
      assert.deepEqual((await inspect(id)).spec.devices, [
        { source: '/dev/kmsg', destination: '/dev/kmsg', access: 'r' },
      ])
    })

    test('security options: seccomp off or of one’s own, no new privileges, open system paths', async () => {
      const { say, inspect, fixture } = the()
      const status = (securityOpt: string[]) =>
        say(`grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status | tr -d '\\t\\n'`, { securityOpt })
      assert.equal(await status([]), 'NoNewPrivs:0Seccomp:2')
      assert.equal(await status(['seccomp=unconfined']), 'NoNewPrivs:0Seccomp:0')
      assert.equal(await status(['no-new-privileges', 'apparmor=unconfined']), 'NoNewPrivs:1Seccomp:2')
      const profile = {
        defaultAction: 'SCMP_ACT_ALLOW',
        archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
        syscalls: [
          { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 },
          { names: ['rmdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 5, includes: { caps: ['CAP_SYS_ADMIN'] } },
        ],
      }
      const securityOpt = [`seccomp=${JSON.stringify(profile)}`]
      assert.match(await say('mkdir /x; rmdir /var/www && echo gone', { securityOpt }), /No space left on device\ngone/)
      assert.match(await say('rmdir /var/www', { securityOpt, capAdd: ['SYS_ADMIN'] }), /Input\/output error/)
      // The profile of AppArmor, where there is one, would forbid it still.
      const open = ['systempaths=unconfined', 'apparmor=unconfined']
      assert.match(await say('echo 7 > /proc/sys/kernel/msgmax && echo ok', { securityOpt: open }), /ok/)
      const id = await runContainer(fixture, { ...SLEEP, securityOpt: ['no-new-privileges', ...securityOpt] })
      assert.deepEqual((await inspect(id)).spec.security, { noNewPrivileges: true, seccomp: profile })
    })

    test('DNS and hosts', async () => {
      const { say, api } = the()
      const body = {
        dns: ['192.0.2.53', '2001:db8::53'],
        dnsSearch: ['a.example', 'b.example'],
        dnsOptions: ['ndots:3'],
        extraHosts: ['db:192.0.2.7', 'six:2001:db8::7', 'host.docker.internal:host-gateway'],
      }
      const [gateway] = (await api.get('/v1/networks')).json.data[0].Address.split('/')
      assert.equal(
        await say('cat /etc/resolv.conf; tail -n 3 /etc/hosts', body),
        'nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch a.example b.example\noptions ndots:3\n' +
          `192.0.2.7\tdb\n2001:db8::7\tsix\n${gateway}\thost.docker.internal\n`,
      )
      assert.doesNotMatch(await say('cat /etc/resolv.conf', { dnsSearch: ['.'] }), /search/)
    })

    test('what is mounted later on the host comes into a slave, and what is mounted in a shared one comes out', async (t) => {
      const { sayIn, api, fixture } = the()
      const refused = await api.post('/v1/containers', { image: fixture.image, mount: ['/var/tmp:/x:rshared'] })
      assert.equal(refused.status, 400, refused.text)
      assert.match(refused.json.message, /is not shared; try: mount --make-shared/)

      const body = { privileged: true, mount: [`${shared}:/slave:rslave`, `${shared}:/shared:rshared`] }
      const id = await runContainer(fixture, { ...SLEEP, ...body })
      mount('tmpfs', join(shared, 'outer'), 'tmpfs', 0, null)
      t.after(() => ['inner', 'outer'].map((name) => unmount(join(shared, name))))
      mkdirSync(join(shared, 'outer/seen'))
      assert.equal(await sayIn(id, 'ls /slave/outer'), 'seen\n')
      await sayIn(id, 'mount -t tmpfs none /shared/inner && mkdir /shared/inner/made')
      assert.ok(existsSync(join(shared, 'inner/made')))
    })

    if (runtime === 'crun')
      test('what cannot be is refused', async () => {
        const { api, fixture } = the()
        await runContainer(fixture, { ...SLEEP, name: 'private' })
        const cases: readonly [object, number, RegExp][] = [
          [{ pidMode: 'other' }, 400, /known are host, private, container:NAME/],
          [{ pidMode: 'shareable' }, 400, /Invalid pid mode/],
          [{ pidMode: 'container:nobody' }, 404, /No such container: "nobody"/],
          [{ ipcMode: 'container:private' }, 400, /it is private; create that one with ipcMode "shareable"/],
          [{ ipcMode: 'host', shmSize: '1m' }, 400, /leave out one of the two/],
          [{ utsMode: 'host', hostname: 'x' }, 400, /a host name to a container with utsMode "host"/],
          [{ ipcMode: 'host', sysctls: { 'kernel.msgmax': '1' } }, 400, /sysctl kernel\.msgmax/],
          [{ pidMode: 'host', init: true }, 400, /must be process 1/],
          [{ devices: ['/dev/none'] }, 400, /this host does not have it/],
          [{ devices: ['/etc/passwd'] }, 400, /it is not a device/],
          [{ devices: ['/dev/null:/dev/x:rwx'] }, 400, /must be some of r, w and m/],
          [{ securityOpt: ['seccomp={}'] }, 400, /seccomp profile: "defaultAction" is missing/],
          [{ securityOpt: ['seccomp=nope'] }, 400, /not valid JSON/],
          [{ securityOpt: ['label=disable'] }, 400, /known are seccomp=/],
          [{ securityOpt: ['apparmor=no-such'] }, 400, /is not loaded/],
          [{ dns: ['localhost'] }, 400, /want an IP address/],
          [{ dnsSearch: ['a\nb'] }, 400, /want a domain name/],
          [{ dnsOptions: ['a b'] }, 400, /want one word/],
          [{ extraHosts: ['db'] }, 400, /want name:address/],
          [{ extraHosts: ['db:x'] }, 400, /neither an IP address/],
        ]
        for (const [body, status, message] of cases) {
          const answer = await api.post('/v1/containers', { image: fixture.image, ...body })
          assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.text}`)
          assert.match(answer.json.message, message)
        }
      })
  })

/** A directory that is a shared mount, with two directories in it. */
function sharedMount(): string {
  const directory = mkdtempSync('/var/tmp/cd-shared-')
  mount(directory, directory, null, MS_BIND, null)
  mount('none', directory, null, MS_SHARED, null)
  for (const name of ['inner', 'outer']) mkdirSync(join(directory, name))
  return directory
}
