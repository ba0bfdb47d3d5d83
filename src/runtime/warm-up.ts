import { writeFile } from 'node:fs/promises'
import { type Hierarchy, ownProcsFile } from '../linux/cgroup.ts'

/** The kernel stays ready for some 10 ms: within this time a second write would be for nothing. */
const FRESH_MS = 5

/**
 * Takes the wait for an RCU grace period out of a coming start: the write runs off the main thread, beside the
 * start's other work, and moves nothing (see `ownProcsFile`).
 */
export function cgroupWarmUp(hierarchies: readonly Hierarchy[]): () => void {
  let last = 0
  return () => {
    if (performance.now() - last < FRESH_MS) return
    last = performance.now()
    // Asked for anew: somebody may have moved the daemon, and it must not move itself back. A host that refuses it is
    // one where the next start takes a little longer.
    writeFile(ownProcsFile(hierarchies), String(process.pid)).catch(() => {})
  }
}
