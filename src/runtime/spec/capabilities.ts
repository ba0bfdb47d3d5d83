import { StatusError } from '../../lib/errors.ts'

/** By number: the index is the bit (linux/capability.h). */
export const CAPABILITIES: readonly string[] = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE',
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN',
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE',
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
]
  .flatMap((line) => line.split(' '))
  .map((name) => `CAP_${name}`)

/** Docker's fourteen. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]

const ALL = 'ALL'

/**
 * The capabilities of a container, as docker computes them: add ALL less drops; drop ALL leaves only adds; else the
 * defaults less drops, and adds. In the kernel's order, without repeats.
 *
 * @param available what the daemon itself has: nobody can give more
 * @throws {StatusError} `invalid_argument` for an unknown name, or one asked for by name that is not available
 */
export function containerCapabilities(
  add: readonly string[],
  drop: readonly string[],
  available: readonly string[],
): string[] {
  const added = add.map(parseCapability)
  const dropped = drop.map(parseCapability)
  const missing = added.find((name) => name !== ALL && !available.includes(name))
  if (missing !== undefined) {
    throw new StatusError('invalid_argument', `Cannot add capability ${missing}: this host's kernel or daemon lacks it`)
  }
  const chosen = new Set(chooseCapabilities(added, dropped, available))
  return CAPABILITIES.filter((name) => chosen.has(name) && available.includes(name))
}

function chooseCapabilities(added: readonly string[], dropped: readonly string[], available: readonly string[]) {
  if (added.includes(ALL)) return available.filter((name) => !dropped.includes(name))
  if (dropped.includes(ALL)) return added
  return [...DEFAULT_CAPABILITIES.filter((name) => !dropped.includes(name)), ...added]
}

/** `net_admin`, `NET_ADMIN` or `CAP_NET_ADMIN`, or `ALL`. @throws {StatusError} `invalid_argument` */
export function parseCapability(text: string): string {
  const upper = text.toUpperCase()
  if (upper === ALL || upper === `CAP_${ALL}`) return ALL
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  if (CAPABILITIES.includes(name)) return name
  const near = nearest(name)
  const hint = near === undefined ? 'see capabilities(7), or use ALL' : `did you mean ${near.slice('CAP_'.length)}?`
  throw new StatusError('invalid_argument', `Unknown capability "${text.slice(0, 64)}": ${hint}`)
}

/** The capabilities of a bit mask as in /proc/PID/status. */
export function capabilitiesOfMask(mask: bigint): string[] {
  return CAPABILITIES.filter((_name, bit) => ((mask >> BigInt(bit)) & 1n) === 1n)
}

function nearest(name: string): string | undefined {
  const [best] = CAPABILITIES.map((known) => ({ known, distance: editDistance(name.slice(0, 64), known) })).toSorted(
    (a, b) => a.distance - b.distance,
  )
  return best !== undefined && best.distance <= 3 ? best.known : undefined
}

/** Levenshtein. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitute))
    }
    row = next
  }
  return row[b.length]!
}
