import { StatusError } from '../lib/errors.ts'

/** capabilities(7), as of Linux 6. */
const CAPABILITIES: ReadonlySet<string> = new Set(
  `AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER
  FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE
  NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE
  SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM`.split(/\s+/),
)

/** `net_admin`, `CAP_NET_ADMIN` ... as `CAP_NET_ADMIN`; `ALL` stays. @throws {StatusError} `invalid_argument` */
export function parseCapability(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '')
  if (name === 'ALL') return name
  if (CAPABILITIES.has(name)) return `CAP_${name}`
  throw new StatusError(
    'invalid_argument',
    `Unknown capability "${text.slice(0, 40)}": want one of capabilities(7), as in NET_ADMIN, or ALL`,
  )
}
