/**
 * Digests (of blobs) and chainIds (of layers) that somebody in this process works with at this moment, and that must
 * not be collected although no record may name them yet. Records protect what outlives the process; claims the rest.
 */
export class Claims {
  readonly #holders = new Map<string, number>()
  readonly #watches = new Set<Set<string>>()

  /** Claims are counted: what two hold is free when both have let go. */
  hold(names: readonly string[]): Disposable {
    for (const name of names) {
      this.#holders.set(name, (this.#holders.get(name) ?? 0) + 1)
      for (const watch of this.#watches) watch.add(name)
    }
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (held) for (const name of names) this.#release(name)
        held = false
      },
    }
  }

  has(name: string): boolean {
    return this.#holders.has(name)
  }

  /**
   * Answers for everything held now or at any time until it is disposed of. The collector reads the records once and
   * then needs this: what a record has come to name since was claimed by whoever wrote the record.
   */
  watch(): { has(name: string): boolean } & Disposable {
    const seen = new Set(this.#holders.keys())
    this.#watches.add(seen)
    return {
      has: (name) => seen.has(name),
      [Symbol.dispose]: () => {
        this.#watches.delete(seen)
      },
    }
  }

  #release(name: string): void {
    const holders = this.#holders.get(name)! - 1
    if (holders === 0) this.#holders.delete(name)
    else this.#holders.set(name, holders)
  }
}
