import { createHash } from 'node:crypto'
import type { Blob } from '../content/index.ts'
import { type Compression, detectCompression } from '../lib/compression.ts'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { messageOf } from '../lib/errors.ts'
import { plainArchive } from '../lib/plain-archive.ts'
import { array, object, optional, parse, type Static, string } from '../lib/schema.ts'
import type { Digest } from '../model/digest.ts'
import type { Descriptor } from '../model/image.ts'
import { OCI_CONFIG, OCI_LAYERS, OCI_MANIFEST, parseImageReference } from '../registry/index.ts'
import { badArchive } from './bad-archive.ts'
import { ensureDocument } from './blobs.ts'
import type { Deps } from './deps.ts'
import { MAX_CONFIG_BYTES, parseImageConfig } from './image-config.ts'
import type { ArchivedImage } from './load.ts'
import type { PullRecord } from './pull-record.ts'
import type { TakenArchive } from './take-archive.ts'

const path = string({ minLength: 1, maxLength: 4096 })
/** `manifest.json` (moby, image/tarexport); what else it may hold is not ours to judge. */
const entries = array(
  object({ Config: path, RepoTags: optional(array(string({ maxLength: 1024 }))), Layers: optional(array(path)) }),
)
type Entry = Static<typeof entries>[number]
const KNOWN = ['Config', 'RepoTags', 'Layers'] as const

/**
 * The images of a docker-archive: what `docker save` wrote before version 25 (`<id>/layer.tar`), and what skopeo, podman,
 * kaniko and bazel write. It has no manifests, so one is made of each: the same archive gives the same.
 */
export async function dockerImages(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  manifestJson: Buffer,
  archive: TakenArchive,
): Promise<readonly ArchivedImage[]> {
  const images: ArchivedImage[] = []
  for (const entry of parseEntries(manifestJson)) {
    const config = fileOf(archive, entry.Config)
    const layers: Descriptor[] = []
    for (const layerPath of entry.Layers ?? []) layers.push(await layerOf(deps, fileOf(archive, layerPath)))
    await assertDiffIds(ctx, deps, config, layers)
    const { descriptor, bytes } = makeManifest({ mediaType: OCI_CONFIG, ...config }, layers)
    record.claim(descriptor.digest)
    await ensureDocument(ctx, deps, { descriptor, bytes })
    images.push({
      names: (entry.RepoTags ?? []).map(parseImageReference),
      target: descriptor,
      manifest: descriptor,
      config: { mediaType: OCI_CONFIG, ...config },
      layers,
    })
  }
  return images
}

function parseEntries(bytes: Buffer): readonly Entry[] {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw badArchive('its manifest.json is not JSON', cause)
  }
  const list: readonly unknown[] = Array.isArray(json) ? json.map(knownMembers) : []
  if (list.length === 0) throw badArchive('its manifest.json names no image')
  return parse(entries, list, 'The manifest.json of this archive')
}

function knownMembers(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry
  const members = entry as Readonly<Record<string, unknown>>
  return Object.fromEntries(KNOWN.map((key) => [key, members[key] ?? null]))
}

function fileOf(archive: TakenArchive, name: string): Blob {
  const file = archive.file(name)
  if (file === undefined) throw badArchive(`it lacks the file ${JSON.stringify(name.slice(0, 200))}`)
  return file
}

async function layerOf({ content }: Deps, blob: Blob): Promise<Descriptor> {
  return { mediaType: OCI_LAYERS[await compressionOf(content.stream(blob.digest))], ...blob }
}

async function compressionOf(bytes: AsyncIterable<Uint8Array>): Promise<Compression> {
  for await (const chunk of bytes) return detectCompression(Buffer.from(chunk))
  return 'none'
}

/** Only the config says which layers belong to the image; a layer that is here already is not unpacked, so this is looked at first. */
async function assertDiffIds(ctx: Ctx, deps: Deps, config: Blob, layers: readonly Descriptor[]): Promise<void> {
  if (config.size > MAX_CONFIG_BYTES) throw badArchive(`a config in it is larger than ${MAX_CONFIG_BYTES} bytes`)
  const { diffIds } = parseImageConfig(await deps.content.read(config.digest, MAX_CONFIG_BYTES))
  if (diffIds.length !== layers.length) {
    throw badArchive(`it contradicts itself: an image has ${layers.length} layers, its config ${diffIds.length}`)
  }
  for (const [index, layer] of layers.entries()) {
    const actual = layer.mediaType === OCI_LAYERS.none ? layer.digest : await diffIdOf(ctx, deps, layer)
    if (actual !== diffIds[index]) {
      throw badArchive(`layer ${index + 1} of an image has the diffId ${actual}, but its config says ${diffIds[index]}`)
    }
  }
}

async function diffIdOf(ctx: Ctx, { content }: Deps, { digest }: Descriptor): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of plainArchive(content.stream(digest))) {
      throwIfEnded(ctx)
      hash.update(chunk)
    }
  } catch (error) {
    throwIfEnded(ctx)
    throw badArchive(`a layer cannot be decompressed: ${messageOf(error)}`, error)
  }
  return `sha256:${hash.digest('hex')}`
}

function makeManifest(config: Descriptor, layers: readonly Descriptor[]): { descriptor: Descriptor; bytes: Buffer } {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }))
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
  return { descriptor: { mediaType: OCI_MANIFEST, digest, size: bytes.length }, bytes }
}
