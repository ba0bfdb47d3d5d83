import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, opendir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError, systemCode } from '../lib/errors.ts'
import { KeyedLock } from '../lib/keyed-lock.ts'
import { type Digest, digestHex, isDigest } from '../model/digest.ts'
import type { Descriptor } from '../model/image.ts'
import { type FetchFrom, ingestBlob } from './ingest.ts'
import { receiveBlob, UNNAMED_PREFIX } from './receive.ts'
import { syncDirectory } from './sync-directory.ts'

/** Of one read; each is a round trip to the thread pool. */
const READ_BYTES = 256 * 1024

export type Blob = Pick<Descriptor, 'digest' | 'size'>

export interface Content {
  has(digest: Digest): Promise<boolean>
  /** Bytes; undefined if the blob is not here. */
  size(digest: Digest): Promise<number | undefined>
  /** Where the blob is, if it is here. */
  path(digest: Digest): string
  /**
   * A whole small blob (manifest, config), verified.
   *
   * @throws {StatusError} `not_found`; `resource_exhausted` above `maxBytes`; `internal` if the disk returns other bytes
   */
  read(digest: Digest, maxBytes: number): Promise<Buffer>
  /**
   * Takes a blob in; at once if it is here. The bytes of an earlier try are verified with the rest and not fetched again.
   *
   * @throws {StatusError} `invalid_argument` if the bytes are not those of the descriptor (nothing is left);
   * `unavailable` if the stream ends early, `resource_exhausted` if the disk is full (what came is kept for the next try)
   */
  ingest(ctx: Ctx, descriptor: Blob, fetch: FetchFrom, onProgress?: (bytes: number) => void): Promise<void>
  write(ctx: Ctx, bytes: Uint8Array): Promise<Blob>
  /**
   * Takes bytes in whose digest only they themselves tell; of a failure nothing is left. `claim` hears the digest before
   * the blob is there.
   *
   * @throws {StatusError} `resource_exhausted` if the disk is full, and whatever `data` throws
   */
  receive(ctx: Ctx, data: AsyncIterable<Uint8Array>, claim: (digest: Digest) => void): Promise<Blob>
  /** The bytes of a blob from `offset` on, as the disk has them. @throws {StatusError} `not_found` when it is read */
  stream(digest: Digest, offset?: number): AsyncIterable<Uint8Array>
  /** Idempotent. */
  remove(digest: Digest): Promise<void>
  list(): AsyncIterable<Digest>
  /** Forgets what came of a download that was broken off. Idempotent. */
  removeIngest(digest: Digest): Promise<void>
  listIngests(): Promise<Digest[]>
  /** What came so far of a download that was broken off. */
  ingestedBytes(digest: Digest): Promise<number>
}

/** @param dir the daemon's `content` directory; made if it is not there */
export async function openContent(dir: string): Promise<Content> {
  const blobs = join(dir, 'blobs', 'sha256')
  const ingests = join(dir, 'ingest')
  await mkdir(blobs, { recursive: true, mode: 0o700 })
  await mkdir(ingests, { recursive: true, mode: 0o700 })
  await removeUnnamed(ingests)
  const locks = new KeyedLock()
  const blobPath = (digest: Digest) => join(blobs, digestHex(digest))
  const ingestPath = (digest: Digest) => join(ingests, digestHex(digest))

  const content: Content = {
    path: blobPath,
    has: async (digest) => (await content.size(digest)) !== undefined,
    async size(digest) {
      return (await stat(blobPath(digest)).catch(ignoreMissing))?.size
    },
    async read(digest, maxBytes) {
      const size = await content.size(digest)
      if (size === undefined) throw new StatusError('not_found', `No blob ${digest}`)
      if (size > maxBytes) {
        throw new StatusError(
          'resource_exhausted',
          `Cannot read blob ${digest}: ${size} bytes, the limit is ${maxBytes}`,
        )
      }
      const bytes = await readFile(blobPath(digest))
      if (digestOf(bytes) !== digest) throw new StatusError('internal', `Blob ${digest} is damaged on disk`)
      return bytes
    },
    async ingest(ctx, descriptor, fetch, onProgress) {
      using _lock = await locks.hold(ctx, descriptor.digest)
      if (await content.has(descriptor.digest)) return
      const paths = { partial: ingestPath(descriptor.digest), whole: blobPath(descriptor.digest) }
      await ingestBlob(ctx, descriptor, paths, fetch, onProgress)
      await syncDirectory(blobs)
    },
    async write(ctx, bytes) {
      const blob: Blob = { digest: digestOf(bytes), size: bytes.length }
      await content.ingest(ctx, blob, async (offset) => once(bytes.subarray(offset)))
      return blob
    },
    async receive(ctx, data, claim) {
      const blob = await receiveBlob(ctx, { ingests, blobPath }, data, claim)
      await syncDirectory(blobs)
      return blob
    },
    async *stream(digest, offset = 0) {
      try {
        yield* createReadStream(blobPath(digest), { start: offset, highWaterMark: READ_BYTES })
      } catch (error) {
        ignoreMissing(error)
        throw new StatusError('not_found', `No blob ${digest}`, { cause: error })
      }
    },
    remove: (digest) => rm(blobPath(digest), { force: true }),
    async *list() {
      for await (const { name } of await opendir(blobs)) {
        const digest = `sha256:${name}`
        if (isDigest(digest)) yield digest
      }
    },
    removeIngest: (digest) => rm(ingestPath(digest), { force: true }),
    async ingestedBytes(digest) {
      return (await stat(ingestPath(digest)).catch(ignoreMissing))?.size ?? 0
    },
    async listIngests() {
      const digests: Digest[] = []
      for await (const { name } of await opendir(ingests)) {
        const digest = `sha256:${name}`
        if (isDigest(digest)) digests.push(digest)
      }
      return digests
    },
  }
  return content
}

/** What a process that was killed had received without knowing its name. */
async function removeUnnamed(ingests: string): Promise<void> {
  for (const name of await readdir(ingests)) {
    if (name.startsWith(UNNAMED_PREFIX)) await rm(join(ingests, name), { force: true })
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
  return undefined
}
