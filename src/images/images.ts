import type { Ctx } from '../lib/ctx.ts'
import { KeyedLock } from '../lib/keyed-lock.ts'
import { checkImages } from './check.ts'
import { Claims } from './claims.ts'
import { collect } from './collect.ts'
import { DEFAULT_POLICY, type Deps, type ImagePolicy } from './deps.ts'
import { imagesDiskUsage } from './disk-usage.ts'
import { findImage } from './find.ts'
import { imageHistory } from './history.ts'
import { LayerDirectories } from './layer-directories.ts'
import { directoriesOf } from './layers.ts'
import { leaseImage } from './lease.ts'
import { listImages } from './list.ts'
import { load } from './load.ts'
import { Operations } from './operations.ts'
import { pruneImages } from './prune.ts'
import { pull } from './pull.ts'
import { push } from './push.ts'
import { recoverImages } from './recover.ts'
import { removeImage } from './remove.ts'
import { saveImages } from './save.ts'
import { imageDetails, imageStatus, imageUsage } from './status.ts'
import { tagImage } from './tag.ts'
import type { Images } from './types.ts'

export type ImagesOptions = Pick<Deps, 'store' | 'content' | 'snapshots' | 'registry' | 'layersDir'> & {
  readonly policy?: Partial<ImagePolicy>
}

/** @param ctx the daemon's: pulls and loads run under it, whoever asked for them. Disposing waits until they have ended */
export function createImages(ctx: Ctx, { policy, ...parts }: ImagesOptions): Images {
  const { store } = parts
  const operations = new Operations()
  const deps: Deps = {
    ...parts,
    policy: { ...DEFAULT_POLICY, ...policy },
    locks: new KeyedLock(),
    claims: new Claims(),
    committed: new Set(),
    pulls: { running: 0, succeeded: 0, failed: 0 },
    directories: new LayerDirectories(),
  }
  return {
    pull(caller, reference, options = {}) {
      const asker = options.endsWithCaller ? caller.signal : undefined
      return pull(ctx, deps, operations, reference, options, asker).follow(caller)
    },
    push: (caller, reference, options) => push(ctx, deps, operations, reference, options).follow(caller),
    pulls: () => ({ ...deps.pulls }),
    checkLogin: (caller, registry, auth) => deps.registry.checkLogin(caller, registry, auth),
    load: (caller, tar, options) => load(ctx, deps, operations, tar, options).follow(caller),
    save: (caller, references, format) => saveImages(caller, deps, references, format),
    tag: (caller, reference, target) => tagImage(caller, deps, reference, target),
    get: (reference) => store.read((tx) => findImage(tx, reference)),
    list: (filter = {}) => listImages(store, filter),
    status: (reference) => store.read((tx) => imageStatus(tx, reference)),
    diskUsage: () => imagesDiskUsage(deps),
    usage: (reference) => store.read((tx) => imageUsage(tx, reference)),
    inspect: (reference) => store.read((tx) => imageDetails(tx, reference)),
    history: (reference) => imageHistory(deps, reference),
    prune: (caller, options) => pruneImages(caller, deps, options),
    remove: (caller, reference) => removeImage(caller, deps, reference),
    layerDirectories: (chainIds) => store.read((tx) => directoriesOf(tx, chainIds)),
    lease: (reference) => leaseImage(deps, reference),
    collect: (caller) => collect(caller, deps),
    recover: (caller) => recoverImages(caller, deps),
    check: (caller, { repair = false } = {}) => checkImages(caller, deps, repair),
    [Symbol.asyncDispose]: () => operations[Symbol.asyncDispose](),
  }
}
