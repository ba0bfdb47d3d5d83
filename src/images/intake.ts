import type { Ctx } from '../lib/ctx.ts'
import { hasCode, messageOf, StatusError, systemCode } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { ChainId } from '../model/digest.ts'
import { imageEvent } from '../model/event.ts'
import type { Image, ImageSpec, Layer } from '../model/image.ts'
import type { ReadTx, WriteTx } from '../store/index.ts'
import { tryCollect } from './collect.ts'
import type { Deps } from './deps.ts'
import { isWhole } from './layers.ts'
import { nameImage } from './name-image.ts'
import type { PullRecord } from './pull-record.ts'

/** An image that is complete: its documents are in content, its layers whole. Name: the normalised reference. */
export interface BroughtImage {
  readonly name: string
  readonly spec: ImageSpec
}

/**
 * Runs the work of a pull or load under its record, and settles how it ends.
 *
 * Success: everything is on disk, and one transaction makes the layers ready, writes the images and deletes the
 * record. Content that is not what it claims to be: nothing of it stays. Any other failure: what was verified stays
 * under the record, for the next try. The record's claims end with it.
 */
export async function intake(
  ctx: Ctx,
  deps: Deps,
  record: PullRecord,
  work: () => Promise<readonly BroughtImage[]>,
): Promise<readonly Image[]> {
  try {
    const brought = await work()
    await syncLayers(
      deps,
      brought.flatMap(({ spec }) => spec.chainIds),
    )
    failpoint('pull.image')
    const images = deps.store.write((tx) => {
      record.delete(tx)
      return brought.map((image) => publish(tx, deps, image, record.action))
    })
    await deps.store.durable()
    return images
  } catch (error) {
    if (!ctx.signal.aborted) await settleRecord(ctx, deps, record, error)
    record[Symbol.dispose]()
    await tryCollect(ctx, deps)
    throw asStatusError(error)
  } finally {
    record[Symbol.dispose]()
  }
}

async function settleRecord(ctx: Ctx, deps: Deps, record: PullRecord, failure: unknown): Promise<void> {
  try {
    // A load has no name that another try could find it by.
    if (isBadContent(failure) || record.action === 'load') deps.store.write((tx) => record.delete(tx))
    else await keepWhole(deps, record.chainIds)
  } catch (error) {
    ctx.log.warn('cannot settle a failed pull; its record goes when it is stale', { error })
  }
}

/** What cannot be right whenever it is tried again. */
function isBadContent(error: unknown): boolean {
  return hasCode(error, 'invalid_argument') || hasCode(error, 'unimplemented')
}

/** Layers that were committed before the pull failed need not be unpacked again. */
async function keepWhole(deps: Deps, chainIds: readonly ChainId[]): Promise<void> {
  const whole = chainIds.filter((chainId) => deps.committed.has(chainId))
  await syncLayers(deps, whole)
  deps.store.write((tx) => {
    for (const chainId of whole) makeReady(tx, deps, chainId)
  })
}

/** One sync serves them all; none is needed if all were ready before. */
async function syncLayers({ store, snapshots }: Deps, chainIds: readonly ChainId[]): Promise<void> {
  const allReady = store.read((tx) => chainIds.every((chainId) => findLayer(tx, chainId).status.state === 'ready'))
  if (allReady) return
  failpoint('pull.sync')
  await snapshots.sync()
}

function publish(tx: WriteTx, deps: Deps, { name, spec }: BroughtImage, action: PullRecord['action']): Image {
  for (const chainId of spec.chainIds) makeReady(tx, deps, chainId)
  const image = nameImage(tx, name, spec)
  tx.event(imageEvent(image, action))
  return image
}

function makeReady(tx: WriteTx, deps: Deps, chainId: ChainId): void {
  const layer = findLayer(tx, chainId)
  if (layer.status.state === 'ready') return
  if (!isWhole(deps, layer)) throw new StatusError('internal', `Layer ${chainId} is not whole`)
  tx.putStatus('Layer', layer.metadata.uid, { state: 'ready' })
}

function findLayer(tx: ReadTx, chainId: ChainId): Layer {
  const layer = tx.get('Layer', chainId)
  if (layer === undefined) throw new StatusError('internal', `Layer ${chainId} is not there`)
  return layer
}

function asStatusError(error: unknown): unknown {
  const code = systemCode(error)
  if (error instanceof StatusError || (code !== 'ENOSPC' && code !== 'EDQUOT')) return error
  return new StatusError('resource_exhausted', `No space left on the disk: ${messageOf(error)}`, { cause: error })
}
