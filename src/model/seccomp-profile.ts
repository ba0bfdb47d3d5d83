import { StatusError } from '../lib/errors.ts'
import { array, integer, object, oneOf, optional, parse, type Static, string } from '../lib/schema.ts'

const action = oneOf(
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_TRAP',
)
const operator = oneOf(
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
)
/** OCI runtime-spec, config-linux.md#seccomp. */
const architecture = oneOf(
  'SCMP_ARCH_X86',
  'SCMP_ARCH_X86_64',
  'SCMP_ARCH_X32',
  'SCMP_ARCH_ARM',
  'SCMP_ARCH_AARCH64',
  'SCMP_ARCH_MIPS',
  'SCMP_ARCH_MIPS64',
  'SCMP_ARCH_MIPS64N32',
  'SCMP_ARCH_MIPSEL',
  'SCMP_ARCH_MIPSEL64',
  'SCMP_ARCH_MIPSEL64N32',
  'SCMP_ARCH_PPC',
  'SCMP_ARCH_PPC64',
  'SCMP_ARCH_PPC64LE',
  'SCMP_ARCH_S390',
  'SCMP_ARCH_S390X',
  'SCMP_ARCH_RISCV64',
  'SCMP_ARCH_LOONGARCH64',
)
const flag = oneOf('SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW')
const word = string({ minLength: 1, maxLength: 128 })
const words = array(word, { maxItems: 2000 })
const errno = integer({ minimum: 0, maximum: 4095 })
const condition = object({
  /** All of these are held. */
  caps: optional(words),
  /** GOARCH's names. */
  arches: optional(words),
  minKernel: optional(string({ pattern: '^\\d{1,4}\\.\\d{1,4}$', description: 'a kernel version such as 4.8' })),
})
const rule = object({
  names: words,
  action,
  errnoRet: optional(errno),
  args: optional(
    array(
      object({
        index: integer({ minimum: 0, maximum: 5 }),
        value: integer({ minimum: 0 }),
        valueTwo: optional(integer({ minimum: 0 })),
        op: operator,
      }),
      { maxItems: 6 },
    ),
  ),
  includes: optional(condition),
  excludes: optional(condition),
  comment: optional(string({ maxLength: 1000 })),
})
const profile = object({
  defaultAction: action,
  defaultErrnoRet: optional(errno),
  architectures: optional(array(architecture)),
  archMap: optional(array(object({ architecture, subArchitectures: optional(array(architecture)) }))),
  flags: optional(array(flag)),
  syscalls: optional(array(rule, { maxItems: 2000 })),
})

/** A profile in docker's format, of which that of the OCI runtime-spec is a part. */
export type SeccompProfile = Static<typeof profile>
export type SeccompCondition = Static<typeof condition>

/** @throws {StatusError} `invalid_argument` */
export function parseSeccompProfile(text: string): SeccompProfile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new StatusError(
      'invalid_argument',
      `Invalid seccomp profile: it is not valid JSON: ${(cause as Error).message}`,
      {
        cause,
      },
    )
  }
  return parse(profile, value, 'The seccomp profile')
}
