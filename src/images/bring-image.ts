import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import type { Descriptor, ImageSpec, Platform } from '../model/image.ts'
import { formatPlatform, selectPlatform } from '../registry/index.ts'
import { ensureBlob, type FetchBlob } from './blobs.ts'
import { chainIds } from './chain-id.ts'
import type { Deps } from './deps.ts'
import { MAX_CONFIG_BYTES, type ParsedConfig, parseImageConfig } from './image-config.ts'
import type { BroughtImage } from './intake.ts'
import { bringLayers } from './layers.ts'
import type { ProgressFeed } from './progress.ts'
import type { PullRecord } from './pull-record.ts'
import { imageBlobs } from './references.ts'

/** What one overlay mount takes (the kernel's OVL_MAX_STACK): a deeper image could not be run. */
const MAX_LAYERS = 500

/** An image as its manifest tells it, and the name it shall have here. */
export interface NamedManifest extends Pick<ImageSpec, 'repository' | 'reference' | 'target' | 'manifest' | 'config'> {
  /** The normalised reference. */
  readonly name: string
  readonly layers: readonly Descriptor[]
}

export interface ImageSource {
  readonly fetch: FetchBlob
  readonly feed: ProgressFeed
  /** What it must run on, if the caller has asked for that. */
  readonly platform?: Platform
}

/** Brings the config and the layers of an image in. */
export async function bringImage(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  image: NamedManifest,
  source: ImageSource,
): Promise<BroughtImage> {
  source.feed.publish({ type: 'resolved', reference: image.name, digest: image.target.digest })
  if (image.config.size > MAX_CONFIG_BYTES) {
    throw new StatusError('invalid_argument', `The config of ${image.name} is larger than ${MAX_CONFIG_BYTES} bytes`)
  }
  record.add({ blobs: imageBlobs(image, true) })
  await ensureBlob(ctx, deps, image.config, source.fetch)
  const config = parseImageConfig(await deps.content.read(image.config.digest, MAX_CONFIG_BYTES))
  assertRunnable(image, config, source.platform)
  const chain = chainIds(config.diffIds)
  record.add({ chainIds: chain })
  const layered = { layers: image.layers, diffIds: config.diffIds, chainIds: chain }
  await bringLayers(ctx, deps, layered, source.fetch, source.feed)
  const { name, repository, reference, target, manifest } = image
  const { platform, imageConfig, builtAt } = config
  return {
    name,
    spec: { repository, reference, target, manifest, config: image.config, ...layered, platform, imageConfig, builtAt },
  }
}

function assertRunnable(image: NamedManifest, { diffIds, platform }: ParsedConfig, wanted?: Platform): void {
  if (image.layers.length > MAX_LAYERS) {
    throw new StatusError(
      'invalid_argument',
      `Image ${image.name} has ${image.layers.length} layers; at most ${MAX_LAYERS} can be run`,
    )
  }
  if (diffIds.length !== image.layers.length) {
    throw new StatusError(
      'invalid_argument',
      `Image ${image.name} contradicts itself: its manifest has ${image.layers.length} layers, its config ${diffIds.length}`,
    )
  }
  const runs = wanted === undefined ? platform.os === 'linux' : selectPlatform([{ platform }], wanted) !== undefined
  if (runs) return
  throw new StatusError(
    'not_found',
    `Image ${image.name} is for ${formatPlatform(platform)}, not for ${wanted === undefined ? 'linux' : formatPlatform(wanted)}`,
  )
}
