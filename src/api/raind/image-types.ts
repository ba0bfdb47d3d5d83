/** The wire of /v1/images beyond the contract: what is sent as interfaces, what is taken as schemas. */

import { array, boolean, object, oneOf, optional, string } from '../../lib/schema.ts'
import type { ImageConfig, Platform } from '../../model/image.ts'
import { labelTerms } from './prune.ts'
import { auth, type WireImageStatus } from './types.ts'

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

const imageName = string({ minLength: 1, maxLength: 1024 })

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
