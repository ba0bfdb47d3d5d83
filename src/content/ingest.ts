import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { hasCode, StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Digest } from '../model/digest.ts'
import { GatheredWrites, WRITE_BYTES } from './gathered-writes.ts'
import { outOfSpace } from './out-of-space.ts'

/**
 * Yields the blob's bytes from `offset` on. May throw a StatusError `unimplemented` for an offset other than 0: the
 * source cannot continue, and all of it is fetched again.
 */
export type FetchFrom = (offset: number) => Promise<AsyncIterable<Uint8Array>>

interface Wanted {
  readonly digest: Digest
  readonly size: number
}

interface Paths {
  readonly partial: string
  readonly whole: string
}

/** See `Content.ingest`. The caller makes the new name durable. */
export async function ingestBlob(
  ctx: Ctx,
  wanted: Wanted,
  paths: Paths,
  fetch: FetchFrom,
  onProgress?: (bytes: number) => void,
): Promise<void> {
  await using file = await open(paths.partial, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    const resumed = await resume(file, wanted)
    let hash = resumed.hash
    if (resumed.offset < wanted.size) {
      hash = await receive(ctx, file, wanted, resumed, fetch, onProgress)
    }
    if (digestOf(hash) !== wanted.digest && resumed.offset > 0) {
      // What was there already may be what is wrong (a crash can leave a file that was never written out).
      const whole = await restart(file)
      hash = await receive(ctx, file, wanted, whole, fetch, onProgress)
    }
    const digest = digestOf(hash)
    if (digest !== wanted.digest) throw mismatch(wanted, `its bytes have the digest ${digest}`)
    await file.sync()
    failpoint('content.ingest.rename')
    await rename(paths.partial, paths.whole)
  } catch (error) {
    if (hasCode(error, 'invalid_argument')) await rm(paths.partial, { force: true })
    throw outOfSpace(error, `Cannot store blob ${wanted.digest}`)
  }
}

interface Received {
  readonly offset: number
  readonly hash: Hash
}

/** Hashes what an earlier try left. */
async function resume(file: FileHandle, { size }: Wanted): Promise<Received> {
  if ((await file.stat()).size > size) return restart(file)
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(WRITE_BYTES)
  let offset = 0
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
    if (bytesRead === 0) return { offset, hash }
    hash.update(buffer.subarray(0, bytesRead))
    offset += bytesRead
  }
}

async function restart(file: FileHandle): Promise<Received> {
  await file.truncate(0)
  return { offset: 0, hash: createHash('sha256') }
}

async function receive(
  ctx: Ctx,
  file: FileHandle,
  wanted: Wanted,
  from: Received,
  fetch: FetchFrom,
  onProgress?: (bytes: number) => void,
): Promise<Hash> {
  const { start, stream } = await startFetch(file, from, fetch)
  let { offset } = start
  const writes = new GatheredWrites(file, offset, onProgress)
  try {
    for await (const chunk of stream) {
      throwIfEnded(ctx)
      if (offset + chunk.length > wanted.size)
        throw mismatch(wanted, `it is larger than the ${wanted.size} bytes announced`)
      start.hash.update(chunk)
      offset += chunk.length
      await writes.add(chunk)
    }
  } finally {
    await writes.flush()
  }
  if (offset < wanted.size) {
    throw new StatusError('unavailable', `Blob ${wanted.digest} ended after ${offset} of ${wanted.size} bytes`)
  }
  return start.hash
}

async function startFetch(file: FileHandle, from: Received, fetch: FetchFrom) {
  try {
    return { start: from, stream: await fetch(from.offset) }
  } catch (error) {
    if (from.offset === 0 || !hasCode(error, 'unimplemented')) throw error
    return { start: await restart(file), stream: await fetch(0) }
  }
}

function digestOf(hash: Hash): string {
  return `sha256:${hash.copy().digest('hex')}`
}

function mismatch({ digest }: Wanted, why: string): StatusError {
  return new StatusError('invalid_argument', `Blob ${digest} is not what it should be: ${why}`)
}
