/** The wire of /v1/images: what is sent as interfaces, what is taken as schemas. */

import { array, boolean, object, oneOf, optional, type Static, string } from '../../lib/schema.ts'
import type { ImageConfig, Platform } from '../../model/image.ts'
import { labelTerms } from './prune.ts'

export interface WireImage {
  /** The config's digest. */
  readonly id: string
  readonly repository: string
  readonly reference: string
  readonly createdAt: string
  /** What the config and the compressed layers weigh. */
  readonly sizeBytes: number
  /** Its tag has moved on to another image, so its reference is a digest. Absent otherwise. */
  readonly dangling?: true
}

export interface WireImageStatus extends WireImage {
  readonly repoTags: readonly string[] | null
  readonly repoDigests: readonly string[] | null
  readonly user: string
}

export interface WireImageUsage {
  /** `repository:reference` */
  readonly image: string
  readonly usedBytes: number
}

/** A line of the progress of a pull, a load or a push. The last one is the last `done`, or a `Failure` instead. */
export type WireProgress =
  | { readonly type: 'resolved'; readonly reference: string; readonly digest: string }
  | {
      readonly type: 'layer'
      readonly digest: string
      readonly status: 'waiting' | 'downloading' | 'unpacking' | 'uploading' | 'exists' | 'mounted' | 'done'
      readonly currentBytes: number
      readonly totalBytes: number
    }
  /** `image` is the whole name: `docker.io/library/alpine:latest`. */
  | { readonly type: 'done'; readonly image: string }

/** Everything about an image. Sizes are bytes. */
export interface WireImageInspect extends WireImageStatus {
  /** When it was built, as its config tells. */
  readonly builtAt: string
  readonly platform: Platform
  readonly config: ImageConfig
  /** What its name stands for at the registry: an index, or the manifest itself. */
  readonly targetDigest: string
  readonly manifestDigest: string
  readonly manifestType: string
  /** What its unpacked layers take on disk. */
  readonly usedBytes: number
  /** Bottom first. */
  readonly layers: readonly {
    readonly digest: string
    readonly mediaType: string
    readonly sizeBytes: number
    readonly diffId: string
  }[]
}

/** A step of how an image was made. The newest comes first. */
export interface WireHistoryEntry {
  readonly createdAt: string
  readonly createdBy: string
  readonly comment: string
  readonly author: string
  /** Digest of the compressed layer; empty for a step that made none. */
  readonly layer: string
  /** What the layer takes on disk. */
  readonly usedBytes: number
}

const text = string({ maxLength: 131_072 })
export const imageName = string({ minLength: 1, maxLength: 1024 })
export const auth = object({
  username: optional(text),
  password: optional(text),
  identityToken: optional(text),
  registryToken: optional(text),
})

export const pullBody = object({ image: imageName, os: optional(text), arch: optional(text), auth: optional(auth) })
export type PullBody = Static<typeof pullBody>
export const imageBody = object({ image: imageName })
export const imageQuery = object({ image: imageName })
/** `name`: the reference for an archive's one image, instead of the one it brings. */
export const loadQuery = object({ name: optional(imageName) })

/** `target`: the further name for `image`. */
export const tagBody = object({ image: imageName, target: imageName })
export const saveQuery = object({
  image: array(imageName, { maxItems: 1000 }),
  format: optional(oneOf('oci', 'docker')),
})
export const pushBody = object({ image: imageName, auth: optional(auth) })
export const loginBody = object({ registry: optional(string({ maxLength: 255 })), auth })
export const imageListQuery = object({
  label: optional(labelTerms),
  /** `alpine`, `alpine:*`, `team/*`: a star is any run without a slash. */
  reference: optional(array(string({ maxLength: 1024 }), { maxItems: 64 })),
  /** Whether its tag has moved on to another image. */
  dangling: optional(boolean()),
})
