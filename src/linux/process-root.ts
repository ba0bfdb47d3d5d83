import { constants } from 'node:fs'
import { AT_FDCWD, check, close, ENOENT, O_PATH, openat } from './at-calls.ts'
import { ESRCH, Pidfd } from './pidfd.ts'

/**
 * The root directory of exactly that process, with all that is mounted in its mount namespace, as an O_PATH descriptor; the
 * caller closes it. Undefined if the process is gone. It stays that directory whatever becomes of the process.
 *
 * The process is held while its link in /proc is opened, and lives afterwards: so its pid was no other's in between.
 */
export function openProcessRoot(pid: number, startTime: number): number | undefined {
  using held = Pidfd.open(pid, startTime)
  if (held === undefined) return undefined
  const root = openat(AT_FDCWD, `/proc/${pid}/root`, O_PATH | constants.O_DIRECTORY)
  if (root === -ENOENT || root === -ESRCH) return undefined
  check(`open the root directory of process ${pid}`, root)
  if (held.signal(0)) return root
  close(root)
  return undefined
}
