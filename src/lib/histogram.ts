/** What was observed, as Prometheus counts it: how many up to each bound, in all, and their sum. */
export interface HistogramData {
  /** `count`: of those that are not above `upTo`. The last bound is infinite. */
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[]
  readonly sum: number
  readonly count: number
}

/** Counts values by size; an observation costs some 50 ns. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  /** `bounds` rise; infinity is added. */
  constructor(bounds: readonly number[]) {
    this.#bounds = [...bounds, Number.POSITIVE_INFINITY]
    this.#counts = this.#bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#counts[this.#bounds.findIndex((bound) => value <= bound)]! += 1
    this.#sum += value
  }

  data(): HistogramData {
    let count = 0
    const buckets = this.#bounds.map((upTo, index) => {
      count += this.#counts[index]!
      return { upTo, count }
    })
    return { buckets, sum: this.#sum, count }
  }
}
