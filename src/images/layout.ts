import { hasCode, StatusError } from '../lib/errors.ts'
import type { Descriptor, Platform } from '../model/image.ts'
import {
  formatPlatform,
  type ImageIndex,
  type ImageReference,
  MAX_MANIFEST_BYTES,
  parseDocument,
  parseImageReference,
  selectPlatform,
} from '../registry/index.ts'
import { badArchive } from './bad-archive.ts'
import type { Deps } from './deps.ts'
import type { ArchivedImage } from './load.ts'

type IndexEntry = ImageIndex['entries'][number]

/** Indexes within indexes; one is usual. */
const MAX_DEPTH = 4

/** The images of an OCI image layout (image-layout.md), for this platform. Its blobs are in content. */
export async function layoutImages(
  deps: Deps,
  { index: indexBytes, marker }: { readonly index: Buffer; readonly marker: Buffer | undefined },
  platform: Platform,
): Promise<readonly ArchivedImage[]> {
  if (marker === undefined) throw badArchive('it has no oci-layout beside its index.json')
  assertVersion(marker)
  const index = parseDocument(indexBytes)
  if (index.kind !== 'index' || index.entries.length === 0) throw badArchive('its index.json names no image')
  return await Promise.all(
    index.entries.map(async (entry) => {
      const target: Descriptor = { mediaType: entry.mediaType, digest: entry.digest, size: entry.size }
      return { names: namesOf(entry), target, ...(await findManifest(deps, target, platform)) }
    }),
  )
}

function assertVersion(marker: Buffer): void {
  let version: unknown
  try {
    version = JSON.parse(marker.toString())?.imageLayoutVersion
  } catch {
    throw badArchive('oci-layout is not JSON')
  }
  if (typeof version !== 'string' || !version.startsWith('1.')) throw badArchive('its layout version is not 1')
}

/** As containerd and Docker write it, else as the spec has it, where skopeo and podman put the whole name. */
function namesOf({ annotations }: IndexEntry): readonly ImageReference[] {
  const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name']
  return name === undefined ? [] : [parseImageReference(name)]
}

async function findManifest(
  deps: Deps,
  descriptor: Descriptor,
  platform: Platform,
  depth = 0,
): Promise<Pick<ArchivedImage, 'manifest' | 'config' | 'layers'>> {
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
    if (hasCode(error, 'not_found')) throw badArchive(`it lacks the blob ${digest}`)
    throw error
  }
}
