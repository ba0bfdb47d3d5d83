import { readdir } from 'node:fs/promises'
import type { Ctx } from '../lib/ctx.ts'
import type { Digest } from '../model/digest.ts'
import { type CheckedFinding, type Fault, settleFaults } from '../model/finding.ts'
import type { Image, Layer } from '../model/image.ts'
import { collect, removeLayer } from './collect.ts'
import { blobLock, type Deps, layerLock } from './deps.ts'
import { references } from './references.ts'

/**
 * Compares the records of images and layers with the directories and blobs on disk, by name and size, and mends what
 * it may. Safe at any time: what somebody works with is left out.
 */
export async function checkImages(ctx: Ctx, deps: Deps, repair: boolean): Promise<CheckedFinding[]> {
  using claimed = deps.claims.watch()
  // What is on disk is looked at before the records are: what is made later has its record first.
  const directories = (await readdir(deps.layersDir)).filter((name) => /^[0-9a-z]+$/.test(name))
  const blobs = await Array.fromAsync(deps.content.list())
  const { layers, images, needed } = deps.store.read((tx) => ({
    layers: tx.list('Layer'),
    images: tx.list('Image'),
    needed: references(tx, deps.policy.keepLayerBlobs),
  }))
  const faults = [
    ...layers
      .filter(({ spec }) => !claimed.has(spec.chainId))
      .flatMap((layer) => faultsOfLayer(ctx, deps, layer, directories)),
    ...directories
      .filter((name) => !layers.some(({ spec }) => spec.directory === name))
      .map(
        (name): Fault => ({
          part: 'layer',
          subject: `directory ${name}`,
          problem: 'no record names it',
          mend: () => deps.snapshots.removeLayer(name),
        }),
      ),
    ...blobs
      .filter((digest) => !needed.blobs.has(digest) && !claimed.has(digest))
      .map(
        (digest): Fault => ({
          part: 'blob',
          subject: digest,
          problem: 'nothing needs it',
          mend: async () => void (await collect(ctx, deps)),
        }),
      ),
    ...(await faultsOfBlobs(ctx, deps, images, (digest) => claimed.has(digest))),
  ]
  return await settleFaults(faults, repair)
}

function faultsOfLayer(ctx: Ctx, deps: Deps, { spec, status }: Layer, directories: readonly string[]): Fault[] {
  const subject = `layer ${spec.chainId}`
  const forget = async () => {
    using _lock = await deps.locks.hold(ctx, layerLock(spec.chainId))
    const layer = deps.store.read((tx) => tx.get('Layer', spec.chainId))
    if (layer !== undefined) await removeLayer(deps, layer)
  }
  if (status.state === 'unpacking') {
    return [{ part: 'layer', subject, problem: 'it was half unpacked or half removed', mend: forget }]
  }
  if (directories.includes(spec.directory)) return []
  // The record goes, so that a pull makes it anew; until then images and containers that need it say so.
  const problem = `its directory ${spec.directory} is gone: pull the images that need it again`
  return [{ part: 'layer', subject, problem, mend: forget }]
}

/** What images need of them: those of another size are removed, so that a pull brings them again. */
async function faultsOfBlobs(
  ctx: Ctx,
  { content, policy, locks }: Deps,
  images: readonly Image[],
  isClaimed: (digest: Digest) => boolean,
): Promise<Fault[]> {
  const faults: Fault[] = []
  const seen = new Set<Digest>()
  for (const { metadata, spec } of images) {
    const wanted = [spec.target, spec.manifest, spec.config, ...(policy.keepLayerBlobs ? spec.layers : [])]
    for (const { digest, size } of wanted) {
      if (seen.has(digest) || isClaimed(digest)) continue
      seen.add(digest)
      const bytes = await content.size(digest)
      if (bytes === size) continue
      const advice = `"raind image pull ${metadata.name}" brings it again`
      const what = bytes === undefined ? 'it is gone' : `it has ${bytes} bytes instead of ${size}`
      const problem = `${what}, and image ${metadata.name} needs it`
      if (bytes === undefined) {
        faults.push({ part: 'blob', subject: digest, problem, advice })
        continue
      }
      const mend = async () => {
        using _lock = await locks.hold(ctx, blobLock(digest))
        await content.remove(digest)
      }
      faults.push({ part: 'blob', subject: digest, problem: `${problem}: pull it again`, mend })
    }
  }
  return faults
}
