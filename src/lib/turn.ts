/** What many may use of one turn of the event loop, in ms, before others have theirs. */
const SHARE_MS = 10

/**
 * Lets work through that waits for nothing: promises that follow each other are one turn of the event loop, and a thousand
 * of them would keep all else waiting.
 */
export class Turn {
  /** When the present turn was first taken; undefined: nobody has. */
  #began: number | undefined

  /** Resolves in this turn of the loop, or if that has been used up in a later one. */
  async take(): Promise<void> {
    while (this.#began !== undefined && performance.now() - this.#began > SHARE_MS) await nextTurn()
    if (this.#began !== undefined) return
    this.#began = performance.now()
    setImmediate(() => {
      this.#began = undefined
    })
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
