import { StatusError } from '../../lib/errors.ts'
import { CAPABILITIES, parseCapability } from '../../model/capability.ts'

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

/** The capabilities of a bit mask as in /proc/PID/status. */
export function capabilitiesOfMask(mask: bigint): string[] {
  return CAPABILITIES.filter((_name, bit) => ((mask >> BigInt(bit)) & 1n) === 1n)
}
