import { randomUUID } from 'node:crypto'
import type { Ctx } from '../lib/ctx.ts'
import type { Descriptor, Platform } from '../model/image.ts'
import {
  completePlatform,
  formatImageReference,
  type ImageReference,
  parseImageReference,
  wireNames,
} from '../registry/index.ts'
import { badArchive } from './bad-archive.ts'
import type { FetchBlob } from './blobs.ts'
import { bringImage, type NamedManifest } from './bring-image.ts'
import { tryCollect } from './collect.ts'
import type { Deps } from './deps.ts'
import { dockerImages } from './docker-archive.ts'
import { type BroughtImage, intake } from './intake.ts'
import { layoutImages } from './layout.ts'
import type { Operations } from './operations.ts'
import type { ProgressFeed } from './progress.ts'
import { PullRecord } from './pull-record.ts'
import { takeArchive } from './take-archive.ts'
import type { LoadOptions } from './types.ts'

/** Names that one archive may bring. */
const MAX_NAMES = 1000

/** An image of an archive, and the names that it brings. */
export interface ArchivedImage extends Pick<NamedManifest, 'target' | 'manifest' | 'config' | 'layers'> {
  readonly names: readonly ImageReference[]
}

/** See `Images.load`. @throws {StatusError} `invalid_argument` for a bad name */
export function load(
  ctx: Ctx,
  deps: Deps,
  operations: Operations,
  tar: AsyncIterable<Uint8Array>,
  { name }: LoadOptions = {},
): ProgressFeed {
  const ref = name === undefined ? undefined : parseImageReference(name)
  const run = async (feed: ProgressFeed) => {
    const platform = completePlatform({})
    const record = new PullRecord(deps, { name: `load ${randomUUID()}`, platform, blobs: [], action: 'load' })
    const images = await intake(ctx, deps, record, async () => {
      const archived = await readArchive(ctx, deps, record, tar, platform)
      return await bringImages(ctx, deps, record, namedManifests(archived, ref), feed)
    })
    for (const image of images) feed.publish({ type: 'done', image })
  }
  return operations.start(undefined, run, () => tryCollect(ctx, deps))
}

/** What is both, as docker writes it since version 25, is read as an OCI layout: that keeps the manifests' digests. */
async function readArchive(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  tar: AsyncIterable<Uint8Array>,
  platform: Platform,
): Promise<readonly ArchivedImage[]> {
  const archive = await takeArchive(ctx, deps, record, tar)
  const index = archive.document('index.json')
  if (index !== undefined) {
    return await layoutImages(deps, { index, marker: archive.document('oci-layout') }, platform)
  }
  const manifest = archive.document('manifest.json')
  if (manifest === undefined) {
    throw badArchive('it has neither an index.json (an OCI image layout) nor a manifest.json (a docker-archive)')
  }
  return await dockerImages(ctx, deps, record, manifest, archive)
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
  throw badArchive(`it lacks the blob ${digest}`)
}

/** Each image under each of its names, or its one image under the name that the caller gives. */
function namedManifests(images: readonly ArchivedImage[], given: ImageReference | undefined): NamedManifest[] {
  if (given !== undefined && images.length > 1) {
    const name = formatImageReference(given)
    throw badArchive(`it has ${images.length} images, so they cannot all be called "${name}"`)
  }
  const named = images.flatMap(({ names, ...image }) => {
    const refs = given === undefined ? names : [given]
    if (refs.length === 0) {
      throw badArchive(`its image ${image.target.digest} has no name: say which name it shall have`)
    }
    return refs.map((ref) => namedManifest(ref, image))
  })
  if (named.length > MAX_NAMES) throw badArchive(`it brings more than ${MAX_NAMES} names`)
  return named
}

function namedManifest(ref: ImageReference, image: Omit<ArchivedImage, 'names'>): NamedManifest {
  const { target }: { target: Descriptor } = image
  const name = formatImageReference(ref)
  if (ref.digest !== undefined && ref.digest !== target.digest) {
    throw badArchive(`"${name}" names another image than the archive's, which has the digest ${target.digest}`)
  }
  return { name, ...wireNames(ref), ...image }
}
