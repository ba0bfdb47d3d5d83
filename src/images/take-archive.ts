import { posix } from 'node:path'
import type { Blob } from '../content/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import { plainArchive } from '../lib/plain-archive.ts'
import { type Digest, isDigest } from '../model/digest.ts'
import { type ArchiveEntry, archiveEntries } from './archive.ts'
import { badArchive } from './bad-archive.ts'
import { ensureBlob } from './blobs.ts'
import type { Deps } from './deps.ts'
import { assertFits, freeSpace } from './free-space.ts'
import type { PullRecord } from './pull-record.ts'

/** OCI image-spec, image-layout.md: what `index.json` may weigh here, and `oci-layout`; and `manifest.json` of docker. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
/** Each of them costs a file and an fsync; images have a handful. */
const MAX_FILES = 10_000
const MAX_PATH_BYTES = 4096
/** Symlinks that lead to symlinks; docker writes one. */
const MAX_HOPS = 8

const DOCUMENTS = new Set(['index.json', 'oci-layout', 'manifest.json'])
const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/
/** What docker before version 25 wrote for its own older versions, and nobody reads any more. */
const OBSOLETE = /^(repositories|[^/]+\/(json|VERSION))$/

/** What an archive held: its files are in content by now, claimed by the record. */
export interface TakenArchive {
  /** `index.json`, `oci-layout` and `manifest.json`, as far as they are there. */
  document(name: string): Buffer | undefined
  /** The file at a path, also through links within the archive. */
  file(path: string): Blob | undefined
}

type Taken = Blob | { readonly linkTo: string }

/**
 * Reads an OCI image layout or a docker-archive from a tar stream, plain or compressed. Blobs that bear their digest as
 * name are verified against it; of others the digest is found. Names in the archive are compared, never used as paths.
 *
 * @throws {StatusError} `invalid_argument`, `resource_exhausted`
 */
export async function takeArchive(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  tar: AsyncIterable<Uint8Array>,
): Promise<TakenArchive> {
  const documents = new Map<string, Buffer>()
  const files = new Map<string, Taken>()
  for await (const entry of archiveEntries(plainArchive(tar))) {
    const path = normalize(entry.path)
    if (DOCUMENTS.has(path)) {
      if (documents.has(path)) throw badArchive(`it has ${path} twice`)
      documents.set(path, await readDocument(path, entry))
    } else if (!OBSOLETE.test(path)) {
      const taken = await takeFile(ctx, deps, record, path, entry)
      if (taken !== undefined) files.set(path, taken)
      if (files.size > MAX_FILES) throw badArchive(`it has more than ${MAX_FILES} files`)
    }
  }
  return { document: (name) => documents.get(name), file: (path) => find(files, normalize(path)) }
}

async function takeFile(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  path: string,
  { type, size, linkPath, data }: ArchiveEntry,
): Promise<Taken | undefined> {
  if (path.length > MAX_PATH_BYTES) throw badArchive('a path in it is too long')
  const digest = blobDigest(path)
  if (digest !== undefined) {
    if (type !== 'file') throw badArchive(`${path} is not a regular file`)
    record.claim(digest)
    const descriptor = { mediaType: '', digest, size }
    await ensureBlob(ctx, deps, descriptor, async (_ctx, _descriptor, offset) => skip(data, offset))
    return { digest, size }
  }
  // A hard link's target is a path of the archive, a symlink's one from where it is.
  if (type === 'link') return { linkTo: normalize(linkPath) }
  if (type === 'symlink') return { linkTo: normalize(posix.join(posix.dirname(path), linkPath)) }
  if (type === 'other') return undefined
  assertFits(`the file ${path} of this archive`, size, await freeSpace(deps.layersDir, deps.policy.reserve))
  return await deps.content.receive(ctx, data, (found) => record.claim(found))
}

function find(files: ReadonlyMap<string, Taken>, path: string): Blob | undefined {
  let taken = files.get(path)
  for (let hops = 0; taken !== undefined && 'linkTo' in taken && hops < MAX_HOPS; hops++) {
    taken = files.get(taken.linkTo)
  }
  return taken === undefined || 'linkTo' in taken ? undefined : taken
}

function normalize(path: string): string {
  return posix.normalize(`/${path}`).slice(1)
}

function blobDigest(path: string): Digest | undefined {
  const hex = BLOB.exec(path)?.[1]
  const digest = `sha256:${hex}`
  return hex !== undefined && isDigest(digest) ? digest : undefined
}

async function* skip(data: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const chunk of data) {
    if (chunk.length > left) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

async function readDocument(name: string, { type, size, data }: ArchiveEntry): Promise<Buffer> {
  if (type !== 'file') throw badArchive(`${name} is not a regular file`)
  if (size > MAX_DOCUMENT_BYTES) throw badArchive(`${name} is larger than ${MAX_DOCUMENT_BYTES} bytes`)
  return Buffer.concat(await Array.fromAsync(data))
}
