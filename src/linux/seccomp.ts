import { closeSync, fstatSync, readSync } from 'node:fs'
import { check, koffi, libc, SysError } from './libc.ts'
import { enosysPrologue, type KnownSyscalls } from './seccomp-enosys.ts'

export type SeccompAction = 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO'
export type SeccompOperator = keyof typeof OPERATORS

/** OCI runtime-spec, config-linux.md#seccomp: the parts that our profile uses. */
export interface SeccompFilter {
  readonly defaultAction: SeccompAction
  readonly defaultErrnoRet: number
  /** The first is the native one. */
  readonly architectures: readonly string[]
  readonly syscalls: readonly SeccompRule[]
}

export interface SeccompRule {
  readonly names: readonly string[]
  readonly action: SeccompAction
  readonly errnoRet?: number
  readonly args?: readonly SeccompArgument[]
}

export interface SeccompArgument {
  readonly index: number
  readonly value: number
  readonly valueTwo?: number
  readonly op: SeccompOperator
}

/** `enum scmp_compare` of seccomp.h. */
const OPERATORS = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
} as const

const UNKNOWN_SYSCALL = -1
const FLTATR_CTL_OPTIMIZE = 8
const OPTIMIZE_BINARY_TREE = 2
const EEXIST = 17
const MFD_CLOEXEC = 1
const RET_ALLOW = 0x7fff0000
const RET_ERRNO = 0x00050000
const ALL_NUMBERS = 0xffff_ffff

const memfdCreate = libc('int memfd_create(const char*, unsigned int)')

type Libseccomp = ReturnType<typeof bind>
let library: Libseccomp | undefined

function bind() {
  const so = koffi.load('libseccomp.so.2')
  return {
    init: so.func('void* seccomp_init(uint32_t)'),
    release: so.func('void seccomp_release(void*)'),
    attrSet: so.func('int seccomp_attr_set(void*, int, uint32_t)'),
    archAdd: so.func('int seccomp_arch_add(void*, uint32_t)'),
    archResolveName: so.func('uint32_t seccomp_arch_resolve_name(const char*)'),
    resolveName: so.func('int seccomp_syscall_resolve_name(const char*)'),
    resolveNameArch: so.func('int seccomp_syscall_resolve_name_arch(uint32_t, const char*)'),
    ruleAddArray: so.func('int seccomp_rule_add_array(void*, uint32_t, int, unsigned int, const void*)'),
    exportBpf: so.func('int seccomp_export_bpf(void*, int)'),
  }
}

/** Whether filters can be compiled here. */
export function hasLibseccomp(): boolean {
  try {
    library ??= bind()
    return true
  } catch {
    return false
  }
}

/**
 * Compiles a filter to the kernel's BPF (an array of `struct sock_filter`), with the installed libseccomp.
 *
 * System calls that it does not know are left out. As runc does, a system call newer than all that the filter names
 * gets ENOSYS instead of the default action, so that a C library falls back to an older one. Takes some ms.
 *
 * @throws {SysError} if libseccomp refuses a rule; an Error if it is not installed
 */
export function compileSeccomp(filter: SeccompFilter): Buffer {
  library ??= bind()
  const context = library.init(actionCode(filter.defaultAction, filter.defaultErrnoRet))
  if (context === null) throw new Error('seccomp_init failed')
  try {
    const architectures = filter.architectures.map((name) => resolveArchitecture(library!, name))
    addArchitectures(library, context, architectures)
    for (const rule of filter.syscalls) addRule(library, context, filter, rule)
    // A library older than 2.5 has no such attribute: its filters are lists then.
    library.attrSet(context, FLTATR_CTL_OPTIMIZE, OPTIMIZE_BINARY_TREE)
    const names = filter.syscalls.flatMap((rule) => rule.names)
    return Buffer.concat([enosysPrologue(knownSyscalls(library, architectures, names)), exportBpf(library, context)])
  } finally {
    library.release(context)
  }
}

function resolveArchitecture(seccomp: Libseccomp, name: string): number {
  const token = seccomp.archResolveName(name.replace('SCMP_ARCH_', '').toLowerCase())
  if (token === 0) throw new Error(`libseccomp does not know the architecture ${name}`)
  return token
}

function addArchitectures(seccomp: Libseccomp, context: unknown, tokens: readonly number[]): void {
  for (const token of tokens) {
    const result = seccomp.archAdd(context, token)
    if (result !== -EEXIST) checkResult('seccomp_arch_add', result)
  }
}

function addRule(seccomp: Libseccomp, context: unknown, filter: SeccompFilter, rule: SeccompRule): void {
  const action = actionCode(rule.action, rule.errnoRet ?? filter.defaultErrnoRet)
  if (action === actionCode(filter.defaultAction, filter.defaultErrnoRet)) return // libseccomp refuses what changes nothing
  const args = encodeArguments(rule.args ?? [])
  for (const name of rule.names) {
    const number = seccomp.resolveName(name)
    if (number === UNKNOWN_SYSCALL) continue
    const result = seccomp.ruleAddArray(context, action, number, rule.args?.length ?? 0, args)
    if (result !== -EEXIST) checkResult(`seccomp_rule_add ${name}`, result)
  }
}

/** `struct scmp_arg_cmp[]`: u32 argument, u32 operator, u64, u64. */
function encodeArguments(args: readonly SeccompArgument[]): Buffer {
  const bytes = Buffer.alloc(Math.max(1, args.length) * 24)
  args.forEach(({ index, op, value, valueTwo = 0 }, i) => {
    bytes.writeUInt32LE(index, i * 24)
    bytes.writeUInt32LE(OPERATORS[op], i * 24 + 4)
    bytes.writeBigUInt64LE(BigInt(value), i * 24 + 8)
    bytes.writeBigUInt64LE(BigInt(valueTwo), i * 24 + 16)
  })
  return bytes
}

function exportBpf(seccomp: Libseccomp, context: unknown): Buffer {
  const fd = check('memfd_create', memfdCreate('seccomp', MFD_CLOEXEC))
  try {
    checkResult('seccomp_export_bpf', seccomp.exportBpf(context, fd))
    const program = Buffer.alloc(fstatSync(fd).size)
    readSync(fd, program, 0, program.length, 0)
    return program
  } finally {
    closeSync(fd)
  }
}

/** The highest number that the filter's names have, for each of its architectures. */
function knownSyscalls(seccomp: Libseccomp, tokens: readonly number[], names: readonly string[]): KnownSyscalls[] {
  const x86_64 = seccomp.archResolveName('x86_64')
  const x32 = seccomp.archResolveName('x32')
  const highest = (token: number) => Math.max(0, ...names.map((name) => seccomp.resolveNameArch(token, name)))
  return tokens
    .filter((token) => token !== x32)
    .map((token) => ({
      auditArch: token,
      highest: highest(token),
      // Without x32 in the filter, libseccomp's own code refuses its numbers.
      ...(token === x86_64 && { highestX32: tokens.includes(x32) ? highest(x32) : ALL_NUMBERS }),
    }))
}

function actionCode(action: SeccompAction, errnoRet: number): number {
  return action === 'SCMP_ACT_ALLOW' ? RET_ALLOW : RET_ERRNO | errnoRet
}

/** libseccomp returns the negative errno. */
function checkResult(operation: string, result: number): void {
  if (result < 0) throw new SysError(operation, -result)
}
