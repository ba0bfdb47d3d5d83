import type { Content } from '../content/index.ts'
import type { KeyedLock } from '../lib/keyed-lock.ts'
import type { ChainId, Digest } from '../model/digest.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Snapshots } from '../snapshots/index.ts'
import type { Store } from '../store/index.ts'
import type { Claims } from './claims.ts'
import type { LayerDirectories } from './layer-directories.ts'

export interface ImagePolicy {
  /** Whether compressed layers are kept once unpacked: save and push then reproduce the digests they came with. */
  readonly keepLayerBlobs: boolean
  /** Layers that one pull downloads at a time. */
  readonly parallelDownloads: number
  /** How long a pull that was broken off keeps what it had verified. */
  readonly staleAfterMs: number
  /** Disk space that images never take: this share of the file system or this many bytes, whichever is less. */
  readonly reserve: { readonly share: number; readonly bytes: number }
}

export const DEFAULT_POLICY: ImagePolicy = {
  keepLayerBlobs: true,
  parallelDownloads: 3,
  staleAfterMs: 24 * 60 * 60 * 1000,
  reserve: { share: 0.05, bytes: 1024 ** 3 },
}

/** What the verbs work with. */
export interface Deps {
  readonly store: Store
  readonly content: Content
  readonly snapshots: Snapshots
  readonly registry: RegistryClient
  /** `<root>/l`, where `snapshots` unpacks. */
  readonly layersDir: string
  readonly policy: ImagePolicy
  /** Held on `blobLock()` and `layerLock()` names while a blob or a layer is being made or removed. */
  readonly locks: KeyedLock
  readonly claims: Claims
  /** Layers that are whole but not yet known to be on disk: usable as parents, not ready. */
  readonly committed: Set<ChainId>
  readonly pulls: { running: number; succeeded: number; failed: number }
  readonly directories: LayerDirectories
}

/** An uncompressed blob's digest is its layer's chainId as well, so the two need names of their own. */
export function blobLock(digest: Digest): string {
  return `blob ${digest}`
}

export function layerLock(chainId: ChainId): string {
  return `layer ${chainId}`
}
