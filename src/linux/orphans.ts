/**
 * Orphans: a process whose parent has ended becomes ours (PR_SET_CHILD_SUBREAPER of prctl(2)), if one of its ancestors
 * was started by us. So a program may start another one in the background and end, and we still learn its exit code.
 */
import { coalesce } from '../lib/coalesce.ts'
import { check, libc } from './libc.ts'
import { Pidfd, tryReap } from './pidfd.ts'
import { childrenOf, processStat } from './process.ts'
import { awaited, type SpawnedProcess, watchChild } from './spawn.ts'

const prctl = libc('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')

const PR_SET_CHILD_SUBREAPER = 36

/** When it is looked for what nobody awaits, after the end of a child. */
const LOOK_AFTER_MS = 100

let reaps = false

/**
 * From now on, for all that this process has started and will start. An orphan that nobody awaits is reaped some time
 * after its end: a zombie of a container's PID namespace keeps the first process of that from ending.
 */
export function adoptOrphans(): void {
  check('become a subreaper', prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
  if (reaps) return
  reaps = true
  const looks = coalesce(LOOK_AFTER_MS, async () => {
    if (!reapStrays()) looks.call()
  })
  process.on('SIGCHLD', () => looks.call())
}

/** An orphan that runs or has ended, to be watched as a child of our own; undefined if it is none of ours. */
export function adoptOrphan(pid: number): SpawnedProcess | undefined {
  const pidfd = Pidfd.open(pid)
  if (pidfd === undefined || processStat(pid)?.parent !== process.pid) {
    pidfd?.[Symbol.dispose]()
    return undefined
  }
  return watchChild(pidfd)
}

let seen: readonly number[] = []

/**
 * Reaps what has ended and is nobody's, and says whether there is none left. What somebody is about to await, who has
 * yet to hear of it, looks the same: it is so only at the first look.
 */
function reapStrays(): boolean {
  try {
    const strays = childrenOf(process.pid).filter((pid) => !awaited.has(pid) && processStat(pid)?.isZombie)
    for (const pid of strays) if (seen.includes(pid)) tryReap(pid)
    seen = strays.filter((pid) => !seen.includes(pid))
    return seen.length === 0
  } catch {
    // No more files can be opened just now.
    return false
  }
}
