import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PLAIN_CONTAINER } from '../../../test/support/container-spec.ts'
import { CAPABILITIES } from '../../model/capability.ts'
import type { ContainerSpec } from '../../model/container.ts'
import { encodeOci } from './encode-oci.ts'
import { type HostFacts, parseKernelRelease, parseOpenFiles, readHostFacts } from './host-facts.ts'
import { ociExecProcess } from './oci-process.ts'
import { type OciSpecInput, ociSpec } from './oci-spec.ts'
import { seccompProfiles } from './seccomp.ts'

const host: HostFacts = {
  architecture: 'amd64',
  kernel: [6, 1],
  cgroupVersion: 2,
  limitsSwap: true,
  capabilities: CAPABILITIES,
  maxOpenFiles: Number.POSITIVE_INFINITY,
  oomScoreAdj: 0,
  hasAppArmor: false,
  thermalPaths: [],
}

function build(changes: Partial<ContainerSpec> = {}, input: Partial<OciSpecInput> = {}) {
  return ociSpec({
    rootfs: '/run/c/rootfs',
    spec: { ...PLAIN_CONTAINER, ...changes },
    user: { uid: 0, gid: 0, additionalGids: [0], home: '/root' },
    netnsPath: '/run/netns/x',
    cgroupsPath: '/condenser/x',
    etcDir: '/var/lib/c/etc',
    seccomp: seccompProfiles(host, { compile: false }),
    host,
    ...input,
  })
}

const destinations = (changes: Partial<ContainerSpec>) => build(changes).mounts.map((mount) => mount.destination)

test('has the defaults of docker', () => {
  const config = build()
  assert.equal(config.ociVersion, '1.0.2')
  assert.deepEqual(config.process.env, [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=web',
    'HOME=/root',
  ])
  assert.equal(config.process.cwd, '/')
  assert.equal(config.process.noNewPrivileges, false)
  assert.equal(config.process.capabilities.effective.length, 14)
  assert.deepEqual(config.process.capabilities.inheritable, [])
  assert.deepEqual(config.process.rlimits, [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 524_288 }])
  assert.deepEqual(config.linux.resources.pids, { limit: 0 })
  assert.equal(config.linux.resources.memory, undefined)
  assert.deepEqual(
    config.linux.namespaces.map(({ type, path }) => (path === undefined ? type : `${type}=${path}`)),
    ['mount', 'network=/run/netns/x', 'pid', 'ipc', 'uts', 'cgroup'],
  )
  assert.ok(config.linux.seccomp !== undefined)
  assert.equal(config.process.apparmorProfile, undefined)
})

test('a user who is not root keeps the bounding set only', () => {
  const user = { uid: 1000, gid: 1000, additionalGids: [1000, 29], home: '/home/app' }
  const { process } = build({}, { user })
  assert.deepEqual(process.capabilities.effective, [])
  assert.deepEqual(process.capabilities.permitted, [])
  assert.deepEqual(process.capabilities.ambient, [])
  assert.equal(process.capabilities.bounding.length, 14)
  assert.deepEqual(process.user, { uid: 1000, gid: 1000, additionalGids: [1000, 29] })
  assert.ok(process.env.includes('HOME=/home/app'))
})

test('the environment is laid over the defaults; a bare name removes one', () => {
  const { process } = build({ tty: true, env: ['PATH=/bin', 'A=b=c', 'HOSTNAME', 'HOME=/x', 'E='] })
  assert.deepEqual(process.env, ['PATH=/bin', 'TERM=xterm', 'A=b=c', 'HOME=/x', 'E='])
  assert.equal(process.terminal, true)
})

test('limits are clamped to what the daemon has', () => {
  const { process } = build({}, { host: { ...host, maxOpenFiles: 500, oomScoreAdj: 100 } })
  assert.deepEqual(process.rlimits, [{ type: 'RLIMIT_NOFILE', soft: 500, hard: 500 }])
  assert.equal(process.oomScoreAdj, 100)
})

test('resources', () => {
  const resources = { memoryBytes: 64 * 1024 * 1024, milliCpus: 1500, pids: 50 }
  assert.deepEqual(build({ resources }).linux.resources.memory, { limit: 67_108_864, swap: 134_217_728 })
  assert.deepEqual(build({ resources }).linux.resources.cpu, { quota: 150_000, period: 100_000 })
  assert.deepEqual(build({ resources }).linux.resources.pids, { limit: 50 })
  const noSwap = build({ resources }, { host: { ...host, limitsSwap: false } })
  assert.deepEqual(noSwap.linux.resources.memory, { limit: 67_108_864 })
})

test("a user's mounts come after the defaults, parents first, and take their place", () => {
  const bind = (destination: string) =>
    ({ source: '/src', destination, readOnly: false, propagation: 'rprivate' }) as const
  const tail = destinations({ mounts: [bind('/a/b/c'), bind('/a'), bind('/etc/hosts')] }).slice(7)
  assert.deepEqual(tail, ['/a', '/etc/resolv.conf', '/etc/hostname', '/etc/hosts', '/a/b/c'])
  const ownDev = destinations({ mounts: [bind('/dev')] })
  assert.ok(!ownDev.includes('/dev/shm') && ownDev.filter((path) => path === '/dev').length === 1)
  const shm = destinations({ tmpfs: [{ destination: '/dev/shm/', options: [] }] })
  assert.equal(shm.filter((path) => path.startsWith('/dev/shm')).length, 1)
})

test('read-only mounts are so to their depth, where the kernel can', () => {
  const mounts = [{ source: '/src', destination: '/m', readOnly: true, propagation: 'rslave' }] as const
  const options = (kernel: HostFacts['kernel']) =>
    build({ mounts }, { host: { ...host, kernel } }).mounts.find(({ destination }) => destination === '/m')?.options
  assert.deepEqual(options([5, 12]), ['rbind', 'rro', 'rslave'])
  assert.deepEqual(options([5, 10]), ['rbind', 'ro', 'rslave'])
  assert.equal(build({ mounts }).linux.rootfsPropagation, 'rslave')
  assert.equal(build().linux.rootfsPropagation, undefined)
})

test('a read-only root also makes the files of /etc read-only', () => {
  const config = build({ readOnlyRootfs: true })
  assert.equal(config.root.readonly, true)
  const hosts = config.mounts.find(({ destination }) => destination === '/etc/hosts')
  assert.deepEqual(hosts, {
    destination: '/etc/hosts',
    type: 'bind',
    source: '/var/lib/c/etc/hosts',
    options: ['rbind', 'ro', 'rprivate'],
  })
})

test('a compiled filter takes the place of the section', () => {
  const config = build({}, { seccomp: seccompProfiles(host, { compile: true }) })
  assert.equal(config.linux.seccomp, undefined)
  assert.ok((config.annotations['run.oci.seccomp_bpf_data'] ?? '').length > 1000)
})

test('a limit that is none is what the kernel calls infinity, also after it was read back', () => {
  const text = encodeOci(build({ ulimits: [{ name: 'core', soft: 5, hard: -1 }] }))
  assert.match(text, /"type":"RLIMIT_CORE","soft":5,"hard":18446744073709551615}/)
  assert.equal(encodeOci(JSON.parse(text)), text)
  assert.match(text, /"RLIMIT_NOFILE","soft":1024/)
})

test('privileged: everything, but what was asked for otherwise', () => {
  const config = build({ privileged: true, capDrop: ['ALL'] }, { apparmorProfile: 'default' })
  assert.deepEqual(config.process.capabilities.bounding, CAPABILITIES)
  assert.equal(config.process.apparmorProfile, undefined)
  assert.equal(config.linux.seccomp, undefined)
  assert.deepEqual([config.linux.maskedPaths, config.linux.readonlyPaths], [[], []])
  assert.ok(config.mounts.every(({ options }) => !options.includes('ro')))
  assert.deepEqual(config.linux.resources.devices.at(-1), { allow: true, access: 'rwm' })
  const profile = { defaultAction: 'SCMP_ACT_LOG' } as const
  const limited = build({ privileged: true, security: { seccomp: profile, apparmor: 'mine' } })
  assert.equal(limited.linux.seccomp?.defaultAction, 'SCMP_ACT_LOG')
  assert.equal(limited.process.apparmorProfile, 'mine')
})

test("the sandbox's mount of sysfs leaves privileged members theirs, and cannot be written to itself", () => {
  const sysfsOf = ({ mounts, linux }: ReturnType<typeof build>) => ({
    isReadOnly: mounts.find(({ destination }) => destination === '/sys')?.options.includes('ro'),
    isClosed: linux.readonlyPaths.includes('/sys'),
  })
  const role = (role: 'infra' | 'main') => build({ pod: { role, name: 'a', attempt: 0 } })
  assert.deepEqual(sysfsOf(role('infra')), { isReadOnly: false, isClosed: true })
  assert.deepEqual(sysfsOf(role('main')), { isReadOnly: true, isClosed: false })
  assert.deepEqual(sysfsOf(build()), { isReadOnly: true, isClosed: false })
})

test('namespaces of the host and of others', () => {
  const config = build({}, { namespaces: { pid: { path: '/ns/pid' }, uts: 'host' }, shmDir: '/shm', hostNetwork: true })
  const types = config.linux.namespaces.map(({ type, path }) => `${type}=${path ?? ''}`)
  assert.deepEqual(types, ['mount=', 'pid=/ns/pid', 'ipc=', 'cgroup='])
  assert.equal(config.hostname, undefined)
  assert.deepEqual(config.linux.sysctl, {})
  const shm = config.mounts.find(({ destination }) => destination === '/dev/shm')
  assert.deepEqual([shm?.type, shm?.source], ['bind', '/shm'])
})

test('an init comes before the command', () => {
  const config = build({}, { initProgram: '/usr/bin/catatonit' })
  assert.deepEqual(config.process.args, ['/sbin/docker-init', '--', '/bin/true'])
  assert.ok(config.mounts.some(({ source, options }) => source === '/usr/bin/catatonit' && options.includes('ro')))
})

test('bad input is refused before anything is made', () => {
  assert.throws(() => build({ capAdd: ['SYS_ADMN'] }), { code: 'invalid_argument' })
  assert.throws(() => build({ tmpfs: [{ destination: '/t', options: ['size=lots'] }] }), { code: 'invalid_argument' })
})

test("an exec has the container's environment and limits, and its own user's capabilities", () => {
  const container = build({ env: ['A=1'] }).process
  const user = { uid: 5, gid: 5, additionalGids: [5], home: '/five' }
  const process = ociExecProcess(container, { args: ['id'], env: ['B=2', 'HOSTNAME'], workingDir: '/tmp', user })
  assert.deepEqual(process.env.slice(1), ['A=1', 'B=2', 'HOME=/five'])
  assert.equal(process.cwd, '/tmp')
  assert.deepEqual(process.capabilities.effective, [])
  assert.deepEqual(process.rlimits, container.rlimits)
  assert.deepEqual(ociExecProcess(container, { args: ['id'] }), { ...container, args: ['id'] })
})

test('reads the facts of this host', () => {
  const facts = readHostFacts()
  assert.ok(facts.maxOpenFiles > 0 && facts.kernel[0] >= 3 && facts.architecture.length > 0)
  assert.deepEqual(parseKernelRelease('6.1.0-18-amd64'), [6, 1])
  assert.equal(parseOpenFiles('Max open files            1024                 20000                files'), 20_000)
  assert.equal(parseOpenFiles('Max open files            1024   unlimited   files'), Number.POSITIVE_INFINITY)
})
