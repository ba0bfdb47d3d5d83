import { type Backoff, backoffMs } from '../../lib/backoff.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import { Grace } from './grace.ts'
import type { Waiting } from './status.ts'

/** kubelet's: of images that cannot be pulled, and of containers that cannot be made. */
const HOLD: Backoff = { firstMs: 10_000, maxMs: 300_000, jitter: 0 }

interface Hold extends Waiting {
  readonly image: string | undefined
  readonly untilMs: number
  readonly failures: number
}

/** What is known of a pod in this life of the daemon, and worth nothing in the next. */
export class PodMemory {
  readonly #holds = new Map<string, Hold>()
  readonly #pulls = new Map<string, { readonly image: string | undefined; readonly ending: AbortController }>()
  readonly #graces = new Set<Grace>()
  #interruption = new AbortController()
  /** The ids of those whose last words have been read. */
  readonly heard = new Set<string>()
  /** Why its sandbox or its volumes cannot be made. */
  waiting: Waiting | undefined
  /** A digest of what was in its volumes when they were filled last. */
  volumes: string | undefined

  /** Ends when nothing of the pod is to run any more: what is being done for that is in vain. */
  get interrupted(): AbortSignal {
    return this.#interruption.signal
  }

  /** Nothing of the pod is to run any more, and what runs has this time. */
  interrupt(graceMs: number): void {
    this.#interruption.abort()
    this.#interruption = new AbortController()
    for (const grace of this.#graces) grace.shorten(graceMs)
  }

  /** For the end of a container. */
  grace(ms: number): Grace {
    const grace = new Grace(ms, (done) => this.#graces.delete(done))
    this.#graces.add(grace)
    return grace
  }

  /** A container could not be made: it is tried again, later each time. */
  hold({ name, image }: PodContainer, { reason, message }: Waiting, now: number): void {
    const failures = (this.#holds.get(name)?.failures ?? 0) + 1
    this.#holds.set(name, { image, reason, message, failures, untilMs: now + backoffMs(HOLD, failures) })
  }

  /** What another image did to a container that has a new one does not count (kubelet's back-offs are by image). */
  releaseChanged({ containers, initContainers = [] }: PodSpec): void {
    for (const { name, image } of [...containers, ...initContainers]) {
      if (this.#holds.get(name)?.image !== image) this.release(name)
      if (this.#pulls.get(name)?.image !== image) this.#pulls.get(name)?.ending.abort()
    }
  }

  /** While the image of a container is brought: the signal ends when that is in vain. */
  pulling({ name, image }: PodContainer): Disposable & { readonly signal: AbortSignal } {
    const ending = new AbortController()
    this.#pulls.set(name, { image, ending })
    return {
      signal: AbortSignal.any([ending.signal, this.interrupted]),
      [Symbol.dispose]: () => void this.#pulls.delete(name),
    }
  }

  release(name: string): void {
    this.#holds.delete(name)
  }

  /** What the containers wait for may be there now: they are tried again at once. */
  retry(): void {
    for (const [name, hold] of this.#holds) this.#holds.set(name, { ...hold, untilMs: 0 })
  }

  /** By container: until when it is not tried. */
  holds(): Map<string, number> {
    return new Map([...this.#holds].map(([name, { untilMs }]) => [name, untilMs]))
  }

  /** By container: what its status says. The first failure is told as it was, then that it is being waited. */
  waitings(now: number): Map<string, Waiting> {
    return new Map(
      [...this.#holds].map(([name, { image, reason, message, failures, untilMs }]) => {
        const isWaiting = reason === 'ErrImagePull' && failures > 1 && untilMs > now
        return [
          name,
          isWaiting
            ? { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ${reason}: ${message}` }
            : { reason, message },
        ]
      }),
    )
  }
}
