import { readdir } from 'node:fs/promises'
import type { Ctx } from '../lib/ctx.ts'
import { collect } from './collect.ts'
import type { Deps } from './deps.ts'

/**
 * Boot, before anything is pulled or started: removes what a crash has left. Layers that were being unpacked or removed
 * go with their directories; so do directories that no record names, stale pulls, and whatever nothing refers to.
 */
export async function recoverImages(ctx: Ctx, deps: Deps): Promise<void> {
  const { store, snapshots, directories, layersDir } = deps
  const known = new Set(store.read((tx) => tx.list('Layer').map((layer) => layer.spec.directory)))
  // Other names are not ours: snapshots' own begin with a dot.
  const stray = (await readdir(layersDir)).filter((name) => /^[0-9a-z]+$/.test(name) && !known.has(name))
  directories.skip(stray)
  // What lacks a record may be what a restored database lacks.
  if (store.isRestored) return
  for (const name of stray) {
    ctx.log.info('removing a layer directory that no record names', { directory: name })
    await snapshots.removeLayer(name)
  }
  await collect(ctx, deps)
}
