import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileSeccomp, type SeccompFilter } from './seccomp.ts'

const ALLOW = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const KILL_THREAD = 0
const AUDIT_X86_64 = 0xc000003e
const AUDIT_I386 = 0x40000003
const AUDIT_AARCH64 = 0xc00000b7
const X32 = 0x40000000

/** What the kernel's machine does with a filter (net/core/filter.c), as far as libseccomp uses it. */
function run(program: Buffer, arch: number, number: number, args: readonly number[] = []): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number >>> 0, 0)
  data.writeUInt32LE(arch, 4)
  for (const [i, value] of args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + i * 8)
  let accumulator = 0
  for (let pc = 0; ; pc++) {
    const code = program.readUInt16LE(pc * 8)
    const [ifTrue, ifFalse, k] = [program[pc * 8 + 2]!, program[pc * 8 + 3]!, program.readUInt32LE(pc * 8 + 4)]
    if (code === 0x06) return k
    if (code === 0x20) accumulator = data.readUInt32LE(k)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x05) pc += k
    else {
      const test = { 21: accumulator === k, 37: accumulator > k, 53: accumulator >= k }[code]
      assert.notEqual(test, undefined, `opcode ${code.toString(16)}`)
      pc += test ? ifTrue : ifFalse
    }
  }
}

const filter: SeccompFilter = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  syscalls: [
    { names: ['read', 'futex_waitv', 'no_such_call'], action: 'SCMP_ACT_ALLOW' },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    { names: ['mount'], action: 'SCMP_ACT_ERRNO' },
    { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 8, op: 'SCMP_CMP_EQ' }] },
    { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0xffffffff, op: 'SCMP_CMP_EQ' }] },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 12, op: 'SCMP_CMP_LT' }] },
  ],
}

test('allows, refuses and compares, in each architecture by its own numbers', () => {
  const program = compileSeccomp(filter)
  assert.equal(run(program, AUDIT_X86_64, 0), ALLOW) // read
  assert.equal(run(program, AUDIT_I386, 3), ALLOW)
  assert.equal(run(program, AUDIT_X86_64, X32 + 0), ALLOW)
  assert.equal(run(program, AUDIT_X86_64, 1), EPERM) // write
  assert.equal(run(program, AUDIT_X86_64, 165), EPERM) // mount
  assert.equal(run(program, AUDIT_X86_64, 435), ENOSYS) // clone3
  assert.equal(run(program, AUDIT_X86_64, 135, [8]), ALLOW) // personality
  assert.equal(run(program, AUDIT_X86_64, 135, [0xffffffff]), ALLOW)
  assert.equal(run(program, AUDIT_X86_64, 135, [9]), EPERM)
  assert.equal(run(program, AUDIT_X86_64, 56, [0x00010f00]), ALLOW) // clone of a thread
  assert.equal(run(program, AUDIT_X86_64, 56, [0x10000000]), EPERM) // CLONE_NEWUSER
  assert.equal(run(program, AUDIT_X86_64, 41, [11]), ALLOW) // socket
  assert.equal(run(program, AUDIT_X86_64, 41, [40]), EPERM)
})

test('what is newer than all that the filter knows is not implemented', () => {
  const program = compileSeccomp(filter)
  assert.equal(run(program, AUDIT_X86_64, 449), ALLOW) // futex_waitv, the highest
  assert.equal(run(program, AUDIT_X86_64, 452), ENOSYS) // fchmodat2
  assert.equal(run(program, AUDIT_I386, 452), ENOSYS)
  assert.equal(run(program, AUDIT_X86_64, X32 + 452), ENOSYS)
  assert.equal(run(program, AUDIT_X86_64, 448), EPERM)
})

test('another architecture is killed, and x32 where it is not asked for', () => {
  assert.equal(run(compileSeccomp(filter), AUDIT_AARCH64, 63), KILL_THREAD)
  const native = compileSeccomp({ ...filter, architectures: ['SCMP_ARCH_X86_64'] })
  assert.equal(run(native, AUDIT_X86_64, 0), ALLOW)
  assert.equal(run(native, AUDIT_X86_64, X32 + 0), KILL_THREAD)
  assert.equal(run(native, AUDIT_I386, 3), KILL_THREAD)
})

test('an architecture that libseccomp does not know is an error', () => {
  assert.throws(() => compileSeccomp({ ...filter, architectures: ['SCMP_ARCH_VAX'] }), /VAX/)
})
