import { existsSync, readFileSync } from 'node:fs'
import type { Logger } from '../lib/log.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { runProgram } from '../linux/run-program.ts'

const NAME = 'raind-default'
const LOADED_PROFILES = '/sys/kernel/security/apparmor/profiles'

/**
 * Docker's default profile: what a container may not do even as root with its capabilities. Network, capabilities and
 * files are open; the kernel's own interfaces and mounting are not.
 */
const PROFILE = `#include <tunables/global>

profile ${NAME} flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>

  network,
  capability,
  file,
  umount,

  signal (receive) peer=unconfined,
  signal (send,receive) peer=${NAME},
  ptrace (trace,read,tracedby,readby) peer=${NAME},

  deny @{PROC}/* w,
  deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,

  deny mount,

  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`

/** Loads the profile if it is not loaded, and returns its name; undefined, and a line in the log, if that cannot be. */
export async function loadAppArmorProfile(thread: KernelThread, log: Logger): Promise<string | undefined> {
  if (hasAppArmorProfile(NAME)) return NAME
  const loaded = await runProgram(thread, 'apparmor_parser', ['-Kr'], PROFILE)
  if (loaded?.exitCode === 0) return NAME
  const reason = loaded === undefined ? 'apparmor_parser is not installed' : loaded.stderr.trim()
  log.warn('containers run without AppArmor: its profile could not be loaded', { profile: NAME, reason })
  return undefined
}

/** Whether the kernel has this profile. */
export function hasAppArmorProfile(name: string): boolean {
  return existsSync(LOADED_PROFILES) && isLoaded(readFileSync(LOADED_PROFILES, 'utf8'), name)
}

/** In the text of the kernel's list: `name (mode)` a line. */
function isLoaded(profiles: string, name: string): boolean {
  return profiles.split('\n').some((line) => line.startsWith(`${name} (`))
}
