import { Pidfd } from '../linux/pidfd.ts'
import { childrenOf, processStat } from '../linux/process.ts'

const SIGKILL = 9
/** Who forks meanwhile is found the next time; who forks faster than that for ever is not ended. */
const MAX_PASSES = 8

/**
 * Ends a process that exec has run, with all that it has begun: what descends from it, and of its session also what has
 * lost its parent, which is then a child of the container's first process. What has left the session and has lost its
 * parent is not found, nor what another container's PID namespace has taken in.
 */
export function endTree(pid: number, firstProcess: number): void {
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const orphans = childrenOf(firstProcess).filter((child) => processStat(child)?.session === pid)
    const found = [pid, ...orphans].flatMap(withDescendants).filter((one) => processStat(one)?.isZombie === false)
    if (found.length === 0) return
    for (const one of found) kill(one)
  }
}

function withDescendants(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(withDescendants)]
}

/** What was just seen to be one of them can have become another process only if thousands were begun meanwhile. */
function kill(pid: number): void {
  using pidfd = Pidfd.open(pid)
  pidfd?.signal(SIGKILL)
}
