import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const READ_BYTES = 64 * 1024
/** Where little was written the last time. */
const QUIET_READ_BYTES = 4 * 1024
/** Of those who follow busy logs, this many do not wait for each other. */
const FEW = 2
/** What all others may take together, in bytes a ms: at first and at least, and at most. */
const [SLOWEST, FASTEST] = [1024, 512 * 1024]
/** So often is it looked whether the machine has time for more. */
const LOOK_MS = 100
/** Processors: with fewer, whoever writes the logs may be waiting for one. */
const SPARE = 0.25

let busyFollowers = 0
let bytesPerMs = SLOWEST
let nextTurnAt = 0
let last = { at: 0, idleMs: 0 }

/**
 * Many who follow busy logs share what the machine has to spare: what they do not take now they find in the log later,
 * and those who write it do not wait for a processor. Who follows a log in which little happens waits for nobody.
 */
export class FollowTurns implements Disposable {
  #isBusy = false
  /** What its turn has taken of the others' time, until the read tells how much it was. */
  #reservedMs = 0

  /** Resolves when it may read, with how many bytes, at most. */
  async next(): Promise<number> {
    if (!this.#isBusy) return QUIET_READ_BYTES
    if (busyFollowers <= FEW) return READ_BYTES
    const now = performance.now()
    adapt(now)
    const turnAt = Math.max(now, nextTurnAt)
    this.#reservedMs = READ_BYTES / bytesPerMs
    nextTurnAt = turnAt + this.#reservedMs
    if (turnAt > now) await sleep(turnAt - now)
    return READ_BYTES
  }

  /** So many bytes were there; the log is busy if there are more. */
  found(bytes: number, hasMore: boolean): void {
    nextTurnAt -= this.#reservedMs * (1 - bytes / READ_BYTES)
    this.#reservedMs = 0
    if (this.#isBusy !== hasMore) busyFollowers += hasMore ? 1 : -1
    this.#isBusy = hasMore
  }

  [Symbol.dispose](): void {
    this.found(0, false)
  }
}

/** A processor that has nothing to do is a processor to spare. */
function adapt(now: number): void {
  if (now - last.at < LOOK_MS) return
  const idleMs = cpus().reduce((sum, { times }) => sum + times.idle, 0)
  const [passedMs, spare] = [now - last.at, (idleMs - last.idleMs) / (now - last.at)]
  last = { at: now, idleMs }
  // What was before the logs were busy says nothing.
  if (passedMs > 10 * LOOK_MS) bytesPerMs = SLOWEST
  else bytesPerMs = Math.min(FASTEST, Math.max(SLOWEST, bytesPerMs * (spare >= SPARE ? 2 : 0.5)))
}
