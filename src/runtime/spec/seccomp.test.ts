import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CAPABILITIES } from '../../model/capability.ts'
import { DEFAULT_CAPABILITIES } from './capabilities.ts'
import { defaultSeccomp, seccompProfiles } from './seccomp.ts'
import { DEFAULT_PROFILE } from './seccomp-profile.ts'

const amd64 = { architecture: 'amd64', kernel: [6, 1] } as const

function allowed(capabilities: readonly string[], host: Parameters<typeof seccompProfiles>[0] = amd64): Set<string> {
  const { syscalls } = defaultSeccomp({ ...host, capabilities })
  return new Set(syscalls.filter((rule) => rule.action === 'SCMP_ACT_ALLOW').flatMap((rule) => rule.names))
}

test('denies by default with EPERM', () => {
  const filter = defaultSeccomp({ ...amd64, capabilities: DEFAULT_CAPABILITIES })
  assert.equal(filter.defaultAction, 'SCMP_ACT_ERRNO')
  assert.equal(filter.defaultErrnoRet, 1)
  assert.deepEqual(filter.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'])
})

test('what docker refuses by default is not allowed', () => {
  const names = allowed(DEFAULT_CAPABILITIES)
  for (const name of [
    'add_key keyctl request_key mount umount2 pivot_root setns unshare bpf perf_event_open io_uring_setup io_uring_enter',
    'userfaultfd kexec_load init_module swapon reboot open_by_handle_at iopl settimeofday syslog vhangup acct quotactl',
    'move_mount open_tree fsopen nfsservctl uselib ustat sysfs get_mempolicy kcmp process_madvise pidfd_getfd',
  ].flatMap((line) => line.split(' '))) {
    assert.ok(!names.has(name), name)
  }
  assert.ok(names.has('chroot')) // CAP_SYS_CHROOT is a default
  assert.ok(names.has('ptrace'))
})

test('a capability brings its system calls', () => {
  assert.ok(allowed(['CAP_SYS_ADMIN']).has('mount'))
  assert.ok(allowed(['CAP_SYS_TIME']).has('settimeofday'))
  assert.ok(!allowed([]).has('chroot'))
})

test('clone cannot make namespaces, and clone3 is not there, unless CAP_SYS_ADMIN allows both', () => {
  const rules = (capabilities: string[], name: string) =>
    defaultSeccomp({ ...amd64, capabilities }).syscalls.filter((rule) => rule.names.includes(name))
  assert.deepEqual(rules([], 'clone'), [
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
  ])
  assert.deepEqual(rules([], 'clone3'), [{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }])
  assert.ok(rules(['CAP_SYS_ADMIN'], 'clone3').every((rule) => rule.action === 'SCMP_ACT_ALLOW'))
  assert.ok(rules(['CAP_SYS_ADMIN'], 'clone').every((rule) => rule.args === undefined))
})

test('depends on architecture and kernel', () => {
  assert.ok(allowed([], { architecture: 'arm64', kernel: [6, 1] }).has('set_tls'))
  assert.ok(!allowed([]).has('set_tls'))
  assert.ok(allowed([]).has('arch_prctl'))
  assert.ok(!allowed([], { architecture: 'amd64', kernel: [4, 7] }).has('ptrace'))
  assert.ok(allowed([], { architecture: 'amd64', kernel: [4, 8] }).has('ptrace'))
  const [clone] = defaultSeccomp({ architecture: 's390x', kernel: [6, 1], capabilities: [] }).syscalls.filter((rule) =>
    rule.names.includes('clone'),
  )
  assert.equal(clone?.args?.[0]?.index, 1)
})

test('no name stands twice in a rule, and all are names', () => {
  for (const { names } of DEFAULT_PROFILE) {
    assert.equal(new Set(names).size, names.length)
    assert.ok(names.every((name) => /^_?[a-z0-9_]+$/.test(name)))
  }
})

test('more capabilities never allow less', () => {
  fc.assert(
    fc.property(fc.subarray([...CAPABILITIES]), fc.subarray([...CAPABILITIES]), (some, more) => {
      const names = allowed([...some, ...more])
      assert.ok([...allowed(some)].every((name) => names.has(name)))
    }),
  )
})

test('compiles a profile once', () => {
  const profiles = seccompProfiles(amd64, { compile: true })
  const first = profiles(DEFAULT_CAPABILITIES)
  assert.ok(first.bpf !== undefined && Buffer.from(first.bpf, 'base64').length % 8 === 0)
  assert.equal(profiles([...DEFAULT_CAPABILITIES, 'CAP_NET_ADMIN']), first) // changes nothing for system calls
  assert.notEqual(profiles(['CAP_SYS_ADMIN']).bpf, first.bpf)
  assert.equal(seccompProfiles(amd64, { compile: false })(DEFAULT_CAPABILITIES).bpf, undefined)
})
