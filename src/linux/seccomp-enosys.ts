/** Numbers up to the highest that a filter knows, of one AUDIT_ARCH (`seccomp_data.arch`). */
export interface KnownSyscalls {
  readonly auditArch: number
  readonly highest: number
  /** x86_64 only: x32 has the same AUDIT_ARCH and numbers with bit 30 set. */
  readonly highestX32?: number
}

const X32_BIT = 0x4000_0000
const ENOSYS = 38

/** Opcodes of linux/bpf_common.h, and the offsets of linux/seccomp.h's `struct seccomp_data`. */
const LOAD_WORD = 0x20
const JUMP_EQUAL = 0x15
const JUMP_GREATER = 0x25
const JUMP_GREATER_OR_EQUAL = 0x35
const RETURN = 0x06
const OFFSET_NUMBER = 0
const OFFSET_ARCH = 4
const RET_ERRNO = 0x0005_0000

/**
 * BPF to put before a filter: a system call above the highest known number returns ENOSYS, every other one falls
 * through. A filter's default EPERM would make a C library take a system call that it could do without for forbidden
 * (runc does the same in libcontainer/seccomp/patchbpf).
 */
export function enosysPrologue(architectures: readonly KnownSyscalls[]): Buffer {
  return Buffer.concat(
    architectures.flatMap(({ auditArch, highest, highestX32 }) => {
      const load = [
        instruction(LOAD_WORD, OFFSET_ARCH),
        instruction(JUMP_EQUAL, auditArch, 0, highestX32 === undefined ? 3 : 5),
      ]
      const fail = instruction(RETURN, RET_ERRNO | ENOSYS)
      if (highestX32 === undefined) {
        return [...load, instruction(LOAD_WORD, OFFSET_NUMBER), instruction(JUMP_GREATER, highest, 0, 1), fail]
      }
      return [
        ...load,
        instruction(LOAD_WORD, OFFSET_NUMBER),
        instruction(JUMP_GREATER_OR_EQUAL, X32_BIT, 1, 0),
        instruction(JUMP_GREATER, highest, 1, 2),
        instruction(JUMP_GREATER, highestX32, 0, 1),
        fail,
      ]
    }),
  )
}

/** `struct sock_filter`: u16 code, u8 jump if true, u8 jump if false, u32 operand. Jumps count from the next instruction. */
function instruction(code: number, operand: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(operand >>> 0, 4)
  return bytes
}
