/**
 * Orphans: a process whose parent has ended becomes ours (PR_SET_CHILD_SUBREAPER of prctl(2)), if one of its ancestors
 * was started by us. So a program may start another one in the background and end, and we still learn its exit code.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { check, libc } from './libc.ts'
import { Pidfd, tryReap } from './pidfd.ts'
import { processStat } from './process.ts'
import { awaited, type SpawnedProcess, watchChild } from './spawn.ts'

const prctl = libc('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')

const PR_SET_CHILD_SUBREAPER = 36

/** From now on, for all that this process has started and will start. */
export function adoptOrphans(): void {
  check('become a subreaper', prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
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

/** Reaps orphans that have ended and that nobody awaits: what is left of something that was killed. */
export function reapStrays(): void {
  for (const pid of children()) {
    if (!awaited.has(pid) && processStat(pid)?.isZombie) tryReap(pid)
  }
}

/** Any of our threads may be the parent. */
function children(): number[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      const text = readFileSync(`/proc/self/task/${thread}/children`, 'utf8')
      return text.split(' ').filter(Boolean).map(Number)
    } catch {
      return []
    }
  })
}
