import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { formatFileHeader } from '../lib/tar/format-header.ts'
import { BLOCK_BYTES, padding } from '../lib/tar/header.ts'
import { digestHex } from '../model/digest.ts'
import { imageEvent } from '../model/event.ts'
import type { Descriptor, Image } from '../model/image.ts'
import { formatImageReference, OCI_INDEX, parseImageReference } from '../registry/index.ts'
import type { Deps } from './deps.ts'
import { findImage } from './find.ts'
import { imageBlobs } from './references.ts'

/** `oci`: an OCI image layout. `docker`: the same with a `manifest.json`, as docker writes it since version 25. */
export type SaveFormat = 'oci' | 'docker'

/**
 * Images as one tar, their blobs byte for byte as they came, so that whoever loads it gets the same digests. It is read
 * from disk as it is asked for; until its end the blobs stay, whatever happens to the names.
 *
 * @throws {StatusError} `not_found`, `failed_precondition` if layers were not kept, both before the first byte
 */
export async function* saveImages(
  ctx: Ctx,
  deps: Deps,
  references: readonly string[],
  format: SaveFormat,
): AsyncGenerator<Uint8Array, void, undefined> {
  const images = deps.store.read((tx) => references.map((reference) => findImage(tx, reference)))
  using _claim = deps.claims.hold(images.flatMap(({ spec }) => imageBlobs(spec, true)))
  for (const image of images) await assertWhole(deps, image)

  yield* jsonFile('oci-layout', { imageLayoutVersion: '1.0.0' })
  yield* jsonFile('index.json', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: images.map(indexEntry) })
  if (format === 'docker') yield* jsonFile('manifest.json', dockerEntries(images))
  for (const [digest, descriptor] of blobsOf(images)) {
    throwIfEnded(ctx)
    yield formatFileHeader(blobPath(descriptor), descriptor.size)
    let left = descriptor.size
    for await (const chunk of deps.content.stream(digest)) {
      left -= chunk.length
      yield chunk
    }
    if (left !== 0) throw new StatusError('internal', `Blob ${digest} is damaged on disk: its size is wrong`)
    yield Buffer.alloc(padding(descriptor.size))
  }
  yield Buffer.alloc(2 * BLOCK_BYTES)
  deps.store.write((tx) => {
    for (const image of images) tx.event(imageEvent(image, 'save'))
  })
}

/** Each blob once, however many images or layers it serves. */
function blobsOf(images: readonly Image[]): ReadonlyMap<Descriptor['digest'], Descriptor> {
  const blobs = images.flatMap(({ spec }) => [spec.manifest, spec.config, ...spec.layers])
  return new Map(blobs.map((blob) => [blob.digest, blob]))
}

/** @throws {StatusError} `failed_precondition` if a compressed layer is not here */
export async function assertWhole({ content }: Deps, { metadata, spec }: Image): Promise<void> {
  for (const { digest } of [spec.manifest, spec.config, ...spec.layers]) {
    if (await content.has(digest)) continue
    throw new StatusError(
      'failed_precondition',
      `Image ${metadata.name} is not here as it came: blob ${digest} was not kept (the configuration's images.keepLayerBlobs); pull it again with that set`,
    )
  }
}

/** The manifest of this platform, also of an image that came by an index: what else that names is not here. */
function indexEntry({ spec }: Image): object {
  const name = archiveName(spec)
  return {
    ...spec.manifest,
    platform: spec.platform,
    ...(name !== undefined && {
      // The one is containerd's and docker's, the other skopeo's and podman's.
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
    }),
  }
}

/** An image that was asked for by the digest of an index cannot be called so where only its manifest is. */
function archiveName(spec: Image['spec']): string | undefined {
  const { registry, path, tag, digest } = referenceOf(spec)
  if (tag !== undefined) return formatImageReference({ registry, path, tag })
  return digest === spec.manifest.digest ? formatImageReference({ registry, path, digest }) : undefined
}

function referenceOf({ repository, reference }: Image['spec']) {
  return parseImageReference(`${repository}${reference.includes(':') ? '@' : ':'}${reference}`)
}

/** moby, image/tarexport: one entry an image, with all of its tags. */
function dockerEntries(images: readonly Image[]): object[] {
  const byId = Map.groupBy(images, ({ spec }) => spec.manifest.digest)
  return [...byId.values()].map((names) => {
    const { config, layers } = names[0]!.spec
    const tags = names.flatMap(({ spec }) => (referenceOf(spec).tag === undefined ? [] : (archiveName(spec) ?? [])))
    return { Config: blobPath(config), RepoTags: tags, Layers: layers.map(blobPath) }
  })
}

function blobPath({ digest }: Descriptor): string {
  return `blobs/sha256/${digestHex(digest)}`
}

function* jsonFile(path: string, value: unknown): Generator<Buffer> {
  const bytes = Buffer.from(JSON.stringify(value))
  yield Buffer.concat([formatFileHeader(path, bytes.length), bytes, Buffer.alloc(padding(bytes.length))])
}
