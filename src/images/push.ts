import { createHash } from 'node:crypto'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { limiter } from '../lib/limiter.ts'
import type { Digest } from '../model/digest.ts'
import { imageEvent } from '../model/event.ts'
import type { Descriptor, Image } from '../model/image.ts'
import {
  formatImageReference,
  type ImageReference,
  MAX_MANIFEST_BYTES,
  parseImageReference,
  type RegistryAuth,
} from '../registry/index.ts'
import { allOrNone } from './all-or-none.ts'
import type { Deps } from './deps.ts'
import { findImage, isFoundById } from './find.ts'
import type { Operations } from './operations.ts'
import { layerReport, type ProgressFeed } from './progress.ts'
import { imageBlobs } from './references.ts'

export interface PushOptions {
  /** For this push; never stored, never logged. */
  readonly auth?: RegistryAuth
}

/** See `Images.push`. @throws {StatusError} `not_found`; `invalid_argument` for what has no tag to be pushed under */
export function push(
  ctx: Ctx,
  deps: Deps,
  operations: Operations,
  reference: string,
  options: PushOptions = {},
): ProgressFeed {
  const image = deps.store.read((tx) => findImage(tx, reference))
  const ref = pushableName(image, reference)
  const key = createHash('sha256').update(
    JSON.stringify(['push', image.metadata.name, image.spec.manifest.digest, options]),
  )
  const run = (feed: ProgressFeed) => runPush(ctx, deps, image, ref, options, feed)
  return operations.start(key.digest('hex'), run, async () => {})
}

function pushableName({ metadata }: Image, reference: string): ImageReference {
  const ref = parseImageReference(metadata.name)
  if (ref.tag !== undefined && !isFoundById(metadata.name, reference)) return ref
  throw new StatusError(
    'invalid_argument',
    `Cannot push image ${reference}: it must be called by a name with a tag; give it one with "raind image tag"`,
  )
}

/** What is here is pushed: the manifest of this platform, also of an image that came by an index. */
async function runPush(
  ctx: Ctx,
  deps: Deps,
  image: Image,
  ref: ImageReference,
  options: PushOptions,
  feed: ProgressFeed,
): Promise<void> {
  const { spec, metadata } = image
  using _claim = deps.claims.hold(imageBlobs(spec, true))
  feed.publish({ type: 'resolved', reference: metadata.name, digest: spec.manifest.digest })
  const bytes = await deps.content.read(spec.manifest.digest, MAX_MANIFEST_BYTES)
  const others = otherRepositories(deps, ref)
  const uploads = limiter(deps.policy.parallelDownloads)
  const layers = new Map(spec.layers.map((layer) => [layer.digest, layer]))
  await allOrNone(ctx, function* (inner) {
    for (const layer of layers.values()) {
      const report = layerReport(feed, layer)
      report('waiting', 0)
      yield uploads(async () => {
        const pushed = await pushBlob(inner, deps, ref, layer, {
          ...options,
          mountFrom: others.get(layer.digest),
          onProgress: (sent) => report('uploading', sent),
        })
        report(pushed === 'uploaded' ? 'done' : pushed, layer.size)
      })
    }
  })
  await pushBlob(ctx, deps, ref, spec.config, { ...options, mountFrom: others.get(spec.config.digest) })
  await deps.registry.pushManifest(ctx, ref, { descriptor: spec.manifest, bytes }, options)
  deps.store.write((tx) => tx.event(imageEvent(image, 'push')))
  feed.publish({ type: 'done', image })
}

interface BlobOptions extends PushOptions {
  readonly mountFrom: string | undefined
  readonly onProgress?: (sent: number) => void
}

async function pushBlob(
  ctx: Ctx,
  { content, registry }: Deps,
  ref: ImageReference,
  descriptor: Descriptor,
  { mountFrom, onProgress, ...options }: BlobOptions,
) {
  const open = async (offset: number) => {
    if (await content.has(descriptor.digest)) return content.stream(descriptor.digest, offset)
    throw new StatusError(
      'failed_precondition',
      `Cannot push ${formatImageReference(ref)}: its blob ${descriptor.digest} was not kept (the configuration's images.keepLayerBlobs), and the registry does not have it`,
    )
  }
  const source = { descriptor, open, ...(mountFrom && { mountFrom }), ...(onProgress && { onProgress }) }
  return await registry.pushBlob(ctx, ref, source, options)
}

/** Repositories of the same registry that have, as far as is known here, these blobs: they need not be sent again. */
function otherRepositories({ store }: Deps, { registry, path }: ImageReference): ReadonlyMap<Digest, string> {
  const blobs = new Map<Digest, string>()
  for (const { metadata, spec } of store.read((tx) => tx.list('Image'))) {
    const other = parseImageReference(metadata.name)
    if (other.registry !== registry || other.path === path) continue
    for (const { digest } of [spec.config, ...spec.layers]) blobs.set(digest, other.path)
  }
  return blobs
}
