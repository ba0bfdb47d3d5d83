/** How busy a container's processors were, and over what time that was measured. */
export interface CpuLoad {
  /** Processors in use: 1.5 is one and a half of them all the time. */
  readonly cores: number
  readonly overMs: number
}

interface Point {
  /** ms */
  readonly at: number
  /** Of the container's life so far. */
  readonly usageUsec: number
}

/** A shorter time than this says more about the scheduler than about the container. */
const SHORTEST_MS = 500

/**
 * What has been seen of one run of a container. A load is the difference of two looks: the last one that is old
 * enough, whoever had it; at the first look the start of the container stands for it.
 */
export class CpuHistory {
  readonly startedAt: number
  #points: readonly Point[]

  constructor(startedAt: number) {
    this.startedAt = startedAt
    this.#points = [{ at: startedAt, usageUsec: 0 }]
  }

  look(now: Point): CpuLoad {
    const before = this.#points.findLast(({ at }) => now.at - at >= SHORTEST_MS) ?? this.#points[0]!
    // The two looks that another may still be measured from: none of them, or the last, is too young.
    if (now.at - this.#points.at(-1)!.at >= SHORTEST_MS) this.#points = [this.#points.at(-1)!, now]
    const overMs = now.at - before.at
    const usedMs = (now.usageUsec - before.usageUsec) / 1000
    return { cores: overMs > 0 ? Math.max(0, usedMs / overMs) : 0, overMs: Math.max(0, overMs) }
  }
}
