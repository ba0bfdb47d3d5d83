import { didYouMean } from '../lib/did-you-mean.ts'
import { StatusError } from '../lib/errors.ts'

/** By number: the index is the bit (linux/capability.h). */
export const CAPABILITIES: readonly string[] = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE',
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN',
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE',
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
]
  .flatMap((line) => line.split(' '))
  .map((name) => `CAP_${name}`)

/** `net_admin`, `CAP_NET_ADMIN` ... as `CAP_NET_ADMIN`; `ALL` stays. @throws {StatusError} `invalid_argument` */
export function parseCapability(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '')
  if (name === 'ALL') return name
  if (CAPABILITIES.includes(`CAP_${name}`)) return `CAP_${name}`
  const near = didYouMean(`CAP_${name.slice(0, 64)}`, CAPABILITIES, 3)
  const hint = near === undefined ? 'see capabilities(7), or use ALL' : `did you mean ${near.slice('CAP_'.length)}?`
  throw new StatusError('invalid_argument', `Unknown capability "${text.slice(0, 64)}": ${hint}`)
}
