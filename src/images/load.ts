import { randomUUID } from 'node:crypto'
import type { Ctx } from '../lib/ctx.ts'
import { hasCode, StatusError } from '../lib/errors.ts'
import type { Descriptor, Platform } from '../model/image.ts'
import {
  completePlatform,
  formatImageReference,
  formatPlatform,
  type ImageIndex,
  MAX_MANIFEST_BYTES,
  parseDocument,
  parseImageReference,
  selectPlatform,
  wireNames,
} from '../registry/index.ts'
import type { FetchBlob } from './blobs.ts'
import { bringImage, type NamedManifest } from './bring-image.ts'
import { tryCollect } from './collect.ts'
import type { Deps } from './deps.ts'
import { type BroughtImage, intake } from './intake.ts'
import { takeLayout } from './layout.ts'
import type { Operations } from './operations.ts'
import type { ProgressFeed } from './progress.ts'
import { PullRecord } from './pull-record.ts'
import type { LoadOptions } from './types.ts'

type IndexEntry = ImageIndex['entries'][number]

/** Indexes within indexes; one is usual. */
const MAX_DEPTH = 4

/** See `Images.load`. @throws {StatusError} `invalid_argument` for a bad name */
export function load(
  ctx: Ctx,
  deps: Deps,
  operations: Operations,
  tar: AsyncIterable<Uint8Array>,
  { name }: LoadOptions = {},
): ProgressFeed {
  if (name !== undefined) parseImageReference(name)
  const run = async (feed: ProgressFeed) => {
    const platform = completePlatform({})
    const record = new PullRecord(deps, { name: `load ${randomUUID()}`, platform, blobs: [], action: 'load' })
    const images = await intake(ctx, deps, record, async () => {
      const index = await takeLayout(ctx, deps, record, tar)
      return await bringImages(ctx, deps, record, await namedManifests(deps, index, platform, name), feed)
    })
    for (const image of images) feed.publish({ type: 'done', image })
  }
  return operations.start(undefined, run, () => tryCollect(ctx, deps))
}

async function bringImages(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  manifests: readonly NamedManifest[],
  feed: ProgressFeed,
): Promise<BroughtImage[]> {
  const brought: BroughtImage[] = []
  for (const manifest of manifests)
    brought.push(await bringImage(ctx, deps, record, manifest, { fetch: isMissing, feed }))
  return brought
}

/** All that the archive had is in content by now. */
const isMissing: FetchBlob = async (_ctx, { digest }) => {
  throw new StatusError('invalid_argument', `Cannot load this archive: it lacks the blob ${digest}`)
}

/** The images of `index.json`, for this platform, each under the name that it or the caller gives. */
async function namedManifests(
  deps: Deps,
  indexBytes: Buffer,
  platform: Platform,
  name: string | undefined,
): Promise<NamedManifest[]> {
  const index = parseDocument(indexBytes)
  if (index.kind !== 'index' || index.entries.length === 0) throw invalid('its index.json names no image')
  if (name !== undefined && index.entries.length > 1) {
    throw invalid(`it has ${index.entries.length} images, so they cannot all be called "${name}"`)
  }
  return await Promise.all(index.entries.map((entry) => namedManifest(deps, entry, platform, name)))
}

async function namedManifest(
  deps: Deps,
  entry: IndexEntry,
  platform: Platform,
  name: string | undefined,
): Promise<NamedManifest> {
  const ref = parseImageReference(name ?? nameOf(entry))
  const target: Descriptor = { mediaType: entry.mediaType, digest: entry.digest, size: entry.size }
  const found = await findManifest(deps, target, platform)
  return { name: formatImageReference(ref), ...wireNames(ref), target, ...found }
}

/** As containerd and Docker write it, else as the spec has it, where skopeo and podman put the whole name. */
function nameOf({ annotations, digest }: IndexEntry): string {
  const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name']
  if (name === undefined) throw invalid(`its image ${digest} has no name: say which name it shall have`)
  return name
}

async function findManifest(
  deps: Deps,
  descriptor: Descriptor,
  platform: Platform,
  depth = 0,
): Promise<Pick<NamedManifest, 'manifest' | 'config' | 'layers'>> {
  const document = parseDocument(await readDocument(deps, descriptor), descriptor.mediaType)
  if (document.kind === 'manifest') return { manifest: descriptor, config: document.config, layers: document.layers }
  const entry = selectPlatform(document.entries, platform)
  if (entry === undefined || depth === MAX_DEPTH) {
    throw new StatusError('not_found', `Cannot load this archive: it has no image for ${formatPlatform(platform)}`)
  }
  return await findManifest(
    deps,
    { mediaType: entry.mediaType, digest: entry.digest, size: entry.size },
    platform,
    depth + 1,
  )
}

async function readDocument({ content }: Deps, { digest }: Descriptor): Promise<Buffer> {
  try {
    return await content.read(digest, MAX_MANIFEST_BYTES)
  } catch (error) {
    if (hasCode(error, 'not_found')) throw invalid(`it lacks the blob ${digest}`)
    throw error
  }
}

function invalid(why: string): StatusError {
  return new StatusError('invalid_argument', `Cannot load this archive: ${why}`)
}
