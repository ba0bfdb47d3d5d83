/** Work that many ask for, one piece at a time, and looks at what it has made, which see no work half done. */
export class Turns {
  readonly #work: () => Promise<void>
  #last: Promise<unknown> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  /** Resolves after work that began after the call: those who come while some is under way share the next. */
  run(): Promise<void> {
    if (this.#next === undefined) {
      this.#next = this.#last.then(() => {
        this.#next = undefined
        return this.#work()
      })
      this.#last = this.#next.catch(() => {})
    }
    return this.#next
  }

  between<T>(look: () => Promise<T>): Promise<T> {
    const run = this.#last.then(look)
    this.#last = run.catch(() => {})
    return run
  }
}
