import { createHash, randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import type { Digest } from '../model/digest.ts'
import { GatheredWrites } from './gathered-writes.ts'
import { outOfSpace } from './out-of-space.ts'

/** Of files whose digest is not known yet; no digest begins so. */
export const UNNAMED_PREFIX = 'unnamed-'

interface Places {
  readonly ingests: string
  blobPath(digest: Digest): string
}

/** See `Content.receive`. The caller makes the new name durable. */
export async function receiveBlob(
  ctx: Ctx,
  { ingests, blobPath }: Places,
  data: AsyncIterable<Uint8Array>,
  claim: (digest: Digest) => void,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const partial = join(ingests, `${UNNAMED_PREFIX}${randomUUID()}`)
  try {
    await using file = await open(partial, 'wx', 0o600)
    const hash = createHash('sha256')
    const writes = new GatheredWrites(file, 0)
    let size = 0
    for await (const chunk of data) {
      throwIfEnded(ctx)
      hash.update(chunk)
      size += chunk.length
      await writes.add(chunk)
    }
    await writes.flush()
    await file.sync()
    const digest = `sha256:${hash.digest('hex')}` as Digest
    claim(digest)
    await rename(partial, blobPath(digest))
    return { digest, size }
  } catch (error) {
    await rm(partial, { force: true })
    throw outOfSpace(error, 'Cannot store a blob')
  }
}
