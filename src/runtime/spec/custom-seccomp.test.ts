import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSeccompProfile } from '../../model/seccomp-profile.ts'
import { customSeccomp } from './custom-seccomp.ts'

const conditions = { capabilities: ['CAP_SYS_ADMIN'], architecture: 'amd64', kernel: [5, 10] } as const

test("a user's profile keeps the rules whose conditions hold, and its map's architectures", () => {
  const rule = (name: string, rest: object = {}) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...rest })
  const profile = parseSeccompProfile(
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      archMap: [
        { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
        { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
      ],
      syscalls: [
        rule('always', { comment: 'kept', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }),
        rule('admin', { includes: { caps: ['CAP_SYS_ADMIN'] } }),
        rule('not-admin', { excludes: { caps: ['CAP_SYS_ADMIN'] } }),
        rule('arm', { includes: { arches: ['arm64'] } }),
        rule('not-arm', { excludes: { arches: ['arm64'] } }),
        rule('old', { includes: { minKernel: '4.8' } }),
        rule('new', { includes: { minKernel: '6.0' } }),
      ],
    }),
  )
  const filter = customSeccomp(profile, conditions)
  assert.deepEqual(filter.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'])
  assert.deepEqual(
    filter.syscalls.flatMap(({ names }) => names),
    ['always', 'admin', 'not-arm', 'old'],
  )
  assert.deepEqual(
    filter.syscalls[0],
    rule('always', { args: [{ index: 0, value: 1, valueTwo: 0, op: 'SCMP_CMP_EQ' }] }),
  )
  assert.equal(filter.defaultErrnoRet, 38)
})
