/** Those that are attached to containers before these run: each connects when the container has been created. */
export class AttachWaiters {
  readonly #connects = new Map<string, Set<() => void>>()

  /** `connect` is called once, before the first instruction of the container's process. Returns what takes it back. */
  add(id: string, connect: () => void): () => void {
    const waiting = this.#connects.get(id) ?? new Set()
    this.#connects.set(id, waiting)
    waiting.add(connect)
    return () => {
      waiting.delete(connect)
      if (waiting.size === 0) this.#connects.delete(id)
    }
  }

  /** The container's streams are there, and it waits for its start. */
  created(id: string): void {
    const waiting = this.#connects.get(id)
    this.#connects.delete(id)
    for (const connect of waiting ?? []) connect()
  }
}
