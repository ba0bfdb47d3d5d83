import type { Deps } from './deps.ts'
import { pruneVolumes } from './prune.ts'
import { volumeUsage } from './usage.ts'
import type { Volumes } from './volume-types.ts'
import { createVolume, listVolumes, removeVolume, viewVolume } from './volumes.ts'

/** The verbs on volumes. */
export function createVolumes(deps: Deps): Volumes {
  return {
    create: (ctx, request) => createVolume(ctx, deps, request),
    list: (filter = {}) => listVolumes(deps, filter),
    find: (name) => viewVolume(deps, name),
    remove: (ctx, name) => removeVolume(ctx, deps, name),
    usage: (ctx) => volumeUsage(ctx, deps),
    prune: (ctx, filter = {}) => pruneVolumes(ctx, deps, filter),
  }
}
