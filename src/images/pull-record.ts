import { randomUUID } from 'node:crypto'
import { failpoint } from '../lib/failpoint.ts'
import type { ChainId, Digest } from '../model/digest.ts'
import type { Platform } from '../model/image.ts'
import type { WriteTx } from '../store/index.ts'
import type { Deps } from './deps.ts'

interface PullRecordOptions {
  readonly name: string
  readonly platform: Platform
  readonly blobs: readonly Digest[]
  readonly action: 'pull' | 'load'
}

/**
 * The record of a pull or load, written before its first effect, and the claims that go with it.
 *
 * The record outlives the process and keeps what was verified for the next try; the claims, let go of on disposal,
 * tell the collector of this process that the work goes on.
 */
export class PullRecord implements Disposable {
  readonly #deps: Pick<Deps, 'store' | 'claims'>
  readonly #claims = new DisposableStack()
  readonly #uid = randomUUID()
  readonly #blobs = new Set<Digest>()
  readonly #chainIds = new Set<ChainId>()
  readonly action: 'pull' | 'load'

  /** Takes the place of the record of an earlier try, and goes on keeping the layers that one had verified. */
  constructor(deps: Pick<Deps, 'store' | 'claims'>, { name, platform, blobs, action }: PullRecordOptions) {
    this.action = action
    this.#deps = deps
    for (const blob of blobs) this.#blobs.add(blob)
    failpoint('pull.record')
    deps.store.write((tx) => {
      const earlier = tx.get('Pull', name)
      if (earlier !== undefined) tx.delete('Pull', earlier.metadata.uid)
      const chainIds = earlier?.status.chainIds ?? []
      for (const chainId of chainIds) this.#chainIds.add(chainId)
      tx.create('Pull', { name, uid: this.#uid, spec: { platform }, status: { blobs, chainIds } })
    })
    this.#claims.use(deps.claims.hold([pullClaim(name), ...blobs]))
  }

  /** Every layer it protects. */
  get chainIds(): readonly ChainId[] {
    return [...this.#chainIds]
  }

  /** Protects a blob from this process's collector only: what a load that is killed has brought need not stay. */
  claim(blob: Digest): void {
    this.#claims.use(this.#deps.claims.hold([blob]))
  }

  /** Before the first effect on any of these. */
  add({ blobs = [], chainIds = [] }: { blobs?: readonly Digest[]; chainIds?: readonly ChainId[] }): void {
    const known = this.#blobs.size + this.#chainIds.size
    this.#claims.use(this.#deps.claims.hold([...blobs, ...chainIds]))
    for (const blob of blobs) this.#blobs.add(blob)
    for (const chainId of chainIds) this.#chainIds.add(chainId)
    if (this.#blobs.size + this.#chainIds.size === known) return
    this.#deps.store.write((tx) => {
      tx.putStatus('Pull', this.#uid, { blobs: [...this.#blobs], chainIds: this.chainIds })
    })
  }

  /** What it brought is named by other records now, or by none and will be collected. */
  delete(tx: WriteTx): void {
    tx.delete('Pull', this.#uid)
  }

  [Symbol.dispose](): void {
    this.#claims.dispose()
  }
}

/** The claim that says that the pull of this name goes on. */
export function pullClaim(name: string): string {
  return `pull ${name}`
}
