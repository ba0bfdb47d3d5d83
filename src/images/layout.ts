import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { type Digest, isDigest } from '../model/digest.ts'
import type { Descriptor } from '../model/image.ts'
import { type ArchiveEntry, archiveEntries } from './archive.ts'
import { ensureBlob } from './blobs.ts'
import type { Deps } from './deps.ts'
import type { PullRecord } from './pull-record.ts'

/** OCI image-spec, image-layout.md: what `index.json` may weigh here, and `oci-layout`. */
const MAX_INDEX_BYTES = 4 * 1024 * 1024
/** Each of them costs a file and an fsync; images have a handful. */
const MAX_BLOBS = 10_000

const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/

/**
 * Reads an OCI image layout from a tar stream: its blobs go straight to content, each verified against its name.
 * Names in the archive are compared, never used as paths.
 *
 * @returns the bytes of `index.json`
 * @throws {StatusError} `invalid_argument`; `unimplemented` for an archive in Docker's own format
 */
export async function takeLayout(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  tar: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  const documents = new Map<string, Buffer>()
  const blobs = new Set<Digest>()
  for await (const entry of archiveEntries(tar)) {
    const name = entry.path.replace(/^\.?\/+/, '')
    const digest = blobDigest(name, entry)
    if (digest !== undefined) {
      if (blobs.add(digest).size > MAX_BLOBS) throw invalid(`it has more than ${MAX_BLOBS} blobs`)
      await takeBlob(ctx, deps, record, { mediaType: '', digest, size: entry.size }, entry.data)
    } else if (name === 'index.json' || name === 'oci-layout' || name === 'manifest.json') {
      if (documents.has(name)) throw invalid(`it has ${name} twice`)
      documents.set(name, await readSmall(name, entry))
    }
  }
  return findIndex(documents)
}

function blobDigest(name: string, { isFile }: ArchiveEntry): Digest | undefined {
  const hex = BLOB.exec(name)?.[1]
  if (hex === undefined) return undefined
  if (!isFile) throw invalid(`${name} is not a regular file`)
  const digest = `sha256:${hex}`
  return isDigest(digest) ? digest : undefined
}

async function takeBlob(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  descriptor: Descriptor,
  data: AsyncIterable<Uint8Array>,
): Promise<void> {
  record.claim(descriptor.digest)
  await ensureBlob(ctx, deps, descriptor, async (_ctx, _descriptor, offset) => skip(data, offset))
}

async function* skip(data: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const chunk of data) {
    if (chunk.length > left) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

async function readSmall(name: string, { isFile, size, data }: ArchiveEntry): Promise<Buffer> {
  if (!isFile) throw invalid(`${name} is not a regular file`)
  if (size > MAX_INDEX_BYTES) throw invalid(`${name} is larger than ${MAX_INDEX_BYTES} bytes`)
  return Buffer.concat(await Array.fromAsync(data))
}

function findIndex(documents: ReadonlyMap<string, Buffer>): Buffer {
  const index = documents.get('index.json')
  const marker = documents.get('oci-layout')
  if (index === undefined && documents.has('manifest.json')) {
    throw new StatusError(
      'unimplemented',
      'Cannot load this archive: it is in the format of older "docker save", which is not supported yet; convert it with ' +
        '"skopeo copy docker-archive:FILE oci-archive:NEW"',
    )
  }
  if (index === undefined || marker === undefined) throw invalid('it has no index.json and oci-layout')
  assertVersion(marker)
  return index
}

function assertVersion(marker: Buffer): void {
  let version: unknown
  try {
    version = JSON.parse(marker.toString())?.imageLayoutVersion
  } catch {
    throw invalid('oci-layout is not JSON')
  }
  if (typeof version !== 'string' || !version.startsWith('1.')) throw invalid('its layout version is not 1')
}

function invalid(why: string): StatusError {
  return new StatusError('invalid_argument', `Cannot load this archive: ${why}`)
}
