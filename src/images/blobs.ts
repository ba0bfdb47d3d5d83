import type { Ctx } from '../lib/ctx.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Descriptor } from '../model/image.ts'
import { blobLock, type Deps } from './deps.ts'
import { assertFits, freeSpace } from './free-space.ts'

/** Where the blobs of an image come from. */
export type FetchBlob = (ctx: Ctx, descriptor: Descriptor, offset: number) => Promise<AsyncIterable<Uint8Array>>

/** Brings a blob in unless it is here. Whoever asks for one that is on its way waits for it. */
export async function ensureBlob(
  ctx: Ctx,
  { content, layersDir, locks, policy }: Deps,
  descriptor: Descriptor,
  fetch: FetchBlob,
  onProgress?: (bytes: number) => void,
): Promise<void> {
  using _lock = await locks.hold(ctx, blobLock(descriptor.digest))
  if (await content.has(descriptor.digest)) return
  assertFits(`blob ${descriptor.digest}`, descriptor.size, await freeSpace(layersDir, policy.reserve))
  failpoint('pull.blob')
  await content.ingest(ctx, descriptor, (offset) => fetch(ctx, descriptor, offset), onProgress)
}

/** Brings bytes in that are at hand. */
export function ensureDocument(
  ctx: Ctx,
  deps: Deps,
  { descriptor, bytes }: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
): Promise<void> {
  return ensureBlob(ctx, deps, descriptor, async (_ctx, _descriptor, offset) => only(bytes.subarray(offset)))
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
