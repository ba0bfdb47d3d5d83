import type { ChainId, DiffId, Digest } from './digest.ts'
import type { HealthcheckOptions } from './healthcheck.ts'
import type { StoredObject } from './meta.ts'

/** OCI image-spec, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
}

export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

/** The parts of an OCI image config (config.md) that running a container takes. Lists are never null. */
export interface ImageConfig {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly env: readonly string[]
  readonly user: string
  readonly workingDir: string
  readonly stopSignal: string
  readonly labels: Readonly<Record<string, string>>
  readonly exposedPorts: readonly string[]
  readonly volumes: readonly string[]
  /** Docker's; absent where there is none. */
  readonly healthcheck?: HealthcheckOptions
}

/** Name: the normalised reference, `docker.io/library/alpine:latest`. */
export interface ImageSpec {
  /** `library/alpine`, or `registry.example/path` for other registries (the wire's repository). */
  readonly repository: string
  /** The tag, or `sha256:...`. */
  readonly reference: string
  /** What the reference resolved to at the registry (the index, if there is one). */
  readonly target: Descriptor
  readonly manifest: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly diffIds: readonly DiffId[]
  /** One a layer, bottom first; the last one names the root filesystem. Empty for an image without layers. */
  readonly chainIds: readonly ChainId[]
  readonly platform: Platform
  readonly imageConfig: ImageConfig
  /** ms; 0 if the config has none. */
  readonly builtAt: number
  /** Its tag has moved on to another image: it stays until it is pruned. Its name has the manifest's digest. */
  readonly untagged?: true
}

export type Image = StoredObject<ImageSpec, Record<string, never>>

/**
 * An unpacked layer. Name: its chainId. It is written in state `unpacking` before the first file, and becomes `ready`
 * after syncfs: a layer that is not ready at boot is removed with its directory.
 */
export interface LayerSpec {
  readonly chainId: ChainId
  readonly parent: ChainId | undefined
  readonly diffId: DiffId
  /** The compressed blob it was made of. */
  readonly blob: Digest
  /** Directory name below `<root>/l`: short, because overlay's options must fit a page. */
  readonly directory: string
}

export interface LayerStatus {
  readonly state: 'unpacking' | 'ready'
  /** Bytes on disk when ready. */
  readonly usedBytes?: number
}

export type Layer = StoredObject<LayerSpec, LayerStatus>

/**
 * A pull or load in progress or broken off. Name: the reference. It keeps the blobs and layers that were verified
 * from collection, so that the next try reuses them; it ends with success, or when it is stale.
 */
export interface PullSpec {
  readonly platform: Platform
}

export interface PullStatus {
  readonly blobs: readonly Digest[]
  readonly chainIds: readonly ChainId[]
}

export type Pull = StoredObject<PullSpec, PullStatus>
