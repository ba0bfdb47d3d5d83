import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { check, libc } from '../../src/linux/libc.ts'
import { CAPABILITIES } from '../../src/model/capability.ts'
import { newId } from '../../src/model/names.ts'
import { containerCapabilities } from '../../src/runtime/spec/capabilities.ts'
import { cgroupFile, SpecHost } from './spec-host.ts'

const mount = libc('int mount(const char*, const char*, const char*, unsigned long, const void*)')
const umount2 = libc('int umount2(const char*, int)')
const MIB = 1024 * 1024

/** What a container sees of the default sandbox and of each option, read from inside. */
export function specSuite(runtime: 'crun' | 'runc', options: { compile: boolean }): void {
  describe(`a container of ${runtime}, seccomp ${options.compile ? 'compiled' : 'as a section'}`, () => {
    let host: SpecHost
    before(() => {
      host = new SpecHost(runtime, options)
    })
    after(() => host[Symbol.asyncDispose]())
    processes(() => host)
    restrictions(() => host)
    filesystems(() => host)
    limits(() => host)
  })
}

function processes(host: () => SpecHost): void {
  test('has the capabilities of docker, and a user only the bounding set', async () => {
    const { capabilities } = host().facts
    const defaults = mask(containerCapabilities([], [], capabilities))
    const root = await host().run('cat /proc/self/status')
    assert.deepEqual(capabilitySets(root.stdout), { Inh: 0n, Prm: defaults, Eff: defaults, Bnd: defaults, Amb: 0n })
    const app = await host().run('cat /proc/self/status; id; echo $HOME', { user: 'app' })
    assert.deepEqual(capabilitySets(app.stdout), { Inh: 0n, Prm: 0n, Eff: 0n, Bnd: defaults, Amb: 0n })
    assert.match(app.stdout, /uid=1000\(app\) gid=1001\(app\) groups=29\(audio\),1001\(app\)\n\/home\/app\n/)
  })

  test('capabilities can be added and dropped', async () => {
    const changes = { capAdd: ['NET_ADMIN', 'cap_sys_ptrace'], capDrop: ['chown', 'MKNOD'] }
    const expected = containerCapabilities(changes.capAdd, changes.capDrop, host().facts.capabilities)
    const { stdout } = await host().run('cat /proc/self/status', changes)
    assert.equal(capabilitySets(stdout)['Eff'], mask(expected))
    assert.equal(capabilitySets((await host().run('cat /proc/self/status', { capDrop: ['ALL'] })).stdout)['Bnd'], 0n)
  })

  test('nothing of the environment and the descriptors outside is inside', async () => {
    process.env['CONDENSER_TEST_SECRET'] = 'secret'
    const { stdout } = await host().run('env; ls /proc/self/fd; pwd', { env: ['A=1'], workingDir: '/made/for/it' })
    const [environment, rest] = [stdout.split('\n').filter((line) => line.includes('=')), stdout.split('\n').slice(-6)]
    assert.deepEqual(environment.map((line) => line.split('=')[0]).toSorted(), [
      'A',
      'HOME',
      'HOSTNAME',
      'PATH',
      'PWD',
      'SHLVL',
    ])
    assert.deepEqual(rest, ['0', '1', '2', '3', '/made/for/it', ''])
  })

  test('is alone in its namespaces', async () => {
    const { stdout } = await host().run('echo $$; hostname; readlink /proc/self/ns/*; ls /sys/class/net')
    const [pid, hostname, ...rest] = stdout.trim().split('\n')
    assert.deepEqual([pid, hostname], ['1', 'web'])
    assert.ok(rest.includes('lo'))
    const ours = ['ipc', 'mnt', 'net', 'pid', 'uts'].map((name) => readlinkSync(`/proc/self/ns/${name}`))
    assert.deepEqual(
      rest.filter((line) => ours.includes(line)),
      [],
    )
  })
}

function restrictions(host: () => SpecHost): void {
  test('the seccomp filter is in force', async () => {
    const { stdout, stderr } = await host().run(
      'grep Seccomp: /proc/self/status; unshare -U true || echo no user namespace; chroot / true && echo may chroot',
    )
    assert.match(stdout, /Seccomp:\s+2\nno user namespace\nmay chroot\n/)
    assert.match(stderr, /unshare.*Operation not permitted/)
    const admin = await host().run('unshare -u true && echo ok', { capAdd: ['SYS_ADMIN'] })
    assert.equal(admin.stdout, 'ok\n')
  })

  test('and in an exec too', async () => {
    const id = newId()
    const spec = host().spec(id, 'sleep 1000')
    const bundle = host().bundle(id, spec)
    await host().launch(id, bundle)
    try {
      const { stdout } = await host().call(
        'exec',
        id,
        '/bin/sh',
        '-c',
        'grep Seccomp: /proc/self/status; unshare -U true || echo no',
      )
      assert.match(stdout, /Seccomp:\s+2\nno\n/)
    } finally {
      await host().call('delete', '--force', id)
    }
  })

  test('what tells of the host is masked, and what changes it is read-only', async () => {
    const { stdout } = await host().run(`
      for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do [ -e $f ] && cat $f | head -c 1; done
      for d in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do [ -e $d ] && ls $d; done
      for f in /proc/sys/kernel/printk /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/profiling; do
        [ -e $f ] && (echo 1 > $f) 2>/dev/null && echo wrote $f
      done
      mkdir ${cgroupFile('memory/x', 'x')} 2>/dev/null && echo made a cgroup
      echo end`)
    assert.equal(stdout, 'end\n')
  })

  test('no device but the harmless ones can be used', async () => {
    const { stdout } = await host().run(`
      for d in null zero full random urandom tty ptmx; do [ -e /dev/$d ] || echo no $d; done
      head -c 4 /dev/urandom > /dev/null && mknod /tmp/kmsg c 1 11 && mknod /tmp/disk b 254 0 && echo made
      cat /tmp/kmsg; cat /tmp/disk; rm -f /tmp/kmsg /tmp/disk`)
    assert.equal(stdout, 'made\n')
  })

  test('unprivileged ports and ping are for everyone', async () => {
    const { stdout } = await host().run('cd /proc/sys/net/ipv4; cat ip_unprivileged_port_start ping_group_range')
    assert.match(stdout, /^0\n0\s+2147483647\n$/)
  })
}

function filesystems(host: () => SpecHost): void {
  test('the mounts are those of docker', async () => {
    const { stdout } = await host().run(
      'cat /proc/mounts; cat /etc/hosts /etc/hostname /etc/resolv.conf; echo x >> /etc/hosts && echo may write',
    )
    for (const line of [
      / \/proc proc rw,nosuid,nodev,noexec/,
      / \/dev tmpfs rw,nosuid,.*size=65536k,mode=755/,
      / \/dev\/pts devpts rw,nosuid,noexec,.*gid=5,mode=620,ptmxmode=666/,
      / \/dev\/shm tmpfs rw,nosuid,nodev,noexec,.*size=65536k/,
      / \/dev\/mqueue mqueue rw,nosuid,nodev,noexec/,
      / \/sys sysfs ro,nosuid,nodev,noexec/,
      / \/sys\/fs\/cgroup\S* \S+ ro,/,
    ]) {
      assert.match(stdout, line)
    }
    assert.match(stdout, /our hosts\nour hostname\nour resolv.conf\nmay write\n$/)
  })

  test('a tmpfs has its size and options', async () => {
    const tmpfs = [
      { destination: '/t', options: ['size=1m'] },
      { destination: '/x', options: ['exec', 'mode=700'] },
    ]
    const { stdout } = await host().run(
      `grep -E ' /(t|x) ' /proc/mounts; dd if=/dev/zero of=/t/f bs=1024 count=2048 2>/dev/null || echo full
      cp /bin/busybox /x/true && /x/true && echo runs; stat -c %a /x`,
      { tmpfs },
    )
    assert.match(stdout, / \/t tmpfs rw,nosuid,nodev,noexec,.*size=1024k/)
    assert.doesNotMatch(stdout, / \/x tmpfs .*noexec/)
    assert.match(stdout, /full\nruns\n700\n$/)
  })

  test('a read-only root', async () => {
    const { stdout, stderr } = await host().run(
      'touch /x || echo no; echo x > /etc/hosts || echo no; touch /t/x && echo yes',
      {
        readOnlyRootfs: true,
        tmpfs: [{ destination: '/t', options: [] }],
      },
    )
    assert.equal(stdout, 'no\nno\nyes\n')
    assert.match(stderr, /Read-only file system/)
  })

  test('binds, read-only to their depth', async () => {
    const source = join(host().directory, 'source')
    mkdirSync(join(source, 'below'), { recursive: true })
    check('mount', mount('tmpfs', join(source, 'below'), 'tmpfs', 0, null))
    try {
      const bind = { source, readOnly: false, propagation: 'rprivate' } as const
      const mounts = [
        { ...bind, destination: '/rw' },
        { ...bind, destination: '/ro', readOnly: true },
        { ...bind, destination: '/slave', propagation: 'rslave' as const },
      ]
      const { stdout } = await host().run(
        `touch /rw/a /rw/below/a && echo yes; touch /ro/b || echo no; touch /ro/below/b || echo no; ls /slave/below`,
        { mounts },
      )
      assert.equal(stdout, 'yes\nno\nno\na\n')
      assert.equal(readFileSync(join(source, 'a'), 'utf8'), '')
    } finally {
      umount2(join(source, 'below'), 2)
    }
  })
}

function limits(host: () => SpecHost): void {
  test('open files, out-of-memory score', async () => {
    const { stdout } = await host().run('ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj')
    const { maxOpenFiles, oomScoreAdj } = host().facts
    assert.equal(stdout, `1024\n${Math.min(524_288, maxOpenFiles)}\n${oomScoreAdj}\n`)
  })

  test('memory, processors and processes', async () => {
    const memory = cgroupFile('memory/memory.limit_in_bytes', 'memory.max')
    const pids = cgroupFile('pids/pids.max', 'pids.max')
    const cpu = cgroupFile('cpu/cpu.cfs_quota_us', 'cpu.max')
    const limited = await host().run(`cat ${memory} ${pids} ${cpu}`, {
      resources: { memoryBytes: 64 * MIB, milliCpus: 500, pids: 20 },
    })
    assert.match(limited.stdout, /^67108864\n20\n50000( 100000)?\n$/, limited.stderr)
    const unlimited = await host().run(`cat ${pids}`)
    assert.equal(unlimited.stdout, 'max\n')
  })
}

function capabilitySets(status: string): Record<string, bigint> {
  return Object.fromEntries(
    [...status.matchAll(/^Cap(\w+):\s+([0-9a-f]+)$/gm)].map(([, name, hex]) => [name, BigInt(`0x${hex}`)]),
  )
}

function mask(names: readonly string[]): bigint {
  return names.reduce((bits, name) => bits | (1n << BigInt(CAPABILITIES.indexOf(name))), 0n)
}
