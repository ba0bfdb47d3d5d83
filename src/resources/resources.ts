import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { MAX_REPLICAS } from '../model/kube/replica-set.ts'
import { DEFAULT_NAMESPACE } from '../model/meta.ts'
import type { ReadTx, Store, WriteTx } from '../store/index.ts'
import { type AppliedObject, type ApplyOptions, namespaceOf } from './apply.ts'
import { applyAll } from './apply-all.ts'
import { Deletion } from './delete.ts'
import { findObject, missing, nameOf } from './find-object.ts'
import { type KubeObject, kubeObject } from './kube-object.ts'
import { assertAll, failureOf } from './manifest-failure.ts'
import { ManifestReader } from './manifest-reader.ts'
import { ensureNamespace } from './namespaces.ts'
import type { Reading, ReadManifest } from './read-manifests.ts'
import type { ObjectName, Resources } from './types.ts'
import { fits, watchObjects } from './watch-objects.ts'

export interface ResourcesOptions {
  readonly store: Store
  /** CIDR text: where Services get their addresses from. */
  readonly serviceSubnet: string
  /** The module of the Worker that reads large manifests. */
  readonly manifestWorker: URL
}

/** How long by force a pod may take to go. */
const REPLACING_MS = 120_000

/** Thrown inside a transaction to take it back. */
class DryRun extends Error {}

export function createResources({ store, serviceSubnet, manifestWorker }: ResourcesOptions): Resources {
  store.write((tx) => ensureNamespace(tx, DEFAULT_NAMESPACE))
  const reader = new ManifestReader(manifestWorker)

  async function read(text: string, options: ApplyOptions): Promise<ReadManifest[]> {
    return assertAll(await reader.read(text, manifestsAs(options)))
  }

  function apply(
    manifests: readonly ReadManifest[],
    options: ApplyOptions,
    then: (tx: WriteTx, applied: readonly AppliedObject[]) => void = () => {},
  ): AppliedObject[] {
    failpoint('apply.record')
    return store.write((tx) => {
      const applied = applyAll(tx, manifests, options, serviceSubnet)
      then(tx, applied)
      return applied
    })
  }

  /** What applying would do. */
  function tryOut(manifests: readonly ReadManifest[], options: ApplyOptions): readonly AppliedObject[] {
    let applied: readonly AppliedObject[] = []
    try {
      apply(manifests, options, (_tx, done) => {
        applied = done
        throw new DryRun()
      })
    } catch (error) {
      if (!(error instanceof DryRun)) throw error
    }
    return applied
  }

  /** Deletes what has to be made anew, and waits until it is gone; the keys of all these. */
  async function clearTheWay(
    ctx: Ctx,
    manifests: readonly ReadManifest[],
    options: ApplyOptions,
  ): Promise<ReadonlySet<string>> {
    const replaced = new Set<string>()
    const limited = { ...ctx, signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(REPLACING_MS)]) }
    for (;;) {
      const going = tryOut(manifests, options).filter(({ replaces }) => replaces !== undefined)
      if (going.length === 0) return replaced
      for (const one of going) replaced.add(keyOf(one))
      const names = going.map(({ replaces }) => replaces!)
      await write((tx) => {
        const deletion = new Deletion(tx, { graceSeconds: 0 })
        for (const { kind, uid } of names) deletion.delete(kind, tx.getByUid(kind, uid)!)
      })
      await resources.untilGone(limited, names)
    }
  }

  async function write<T>(fn: (tx: WriteTx) => T extends PromiseLike<unknown> ? never : T): Promise<T> {
    const result = store.write(fn)
    await store.durable()
    return result as T
  }

  const resources: Resources = {
    async apply(ctx, text, options) {
      const manifests = await read(text, options)
      const replaced = options.force ? await clearTheWay(ctx, manifests, options) : new Set<string>()
      const applied = apply(manifests, options)
      await store.durable()
      return applied.map((one) => (replaced.has(keyOf(one)) ? { ...one, action: 'configured' as const } : one))
    },

    async createStopped(text, network) {
      const flags = { stopped: true, ...(network && { network }) } as const
      const options = { manager: 'raind', raind: { zeroReplicas: true } }
      const [made] = apply(await read(text, options), options, (tx, applied) => {
        const [pod] = applied.map(assertNew)
        const { spec, ...rest } = tx.getByUid('Pod', pod!.object.metadata.uid)!
        tx.put('Pod', { ...rest, spec: { ...spec, ...flags } })
      })
      await store.durable()
      return made!.object.metadata.uid
    },

    async createService(text, options) {
      const [first] = await reader.read(text, manifestsAs(options))
      const [made] = apply(assertAll(first === undefined ? [] : [first]), options, (_tx, applied) => {
        const [service] = applied.map(assertNew)
        if (service?.kind === 'Service') return
        throw new StatusError('invalid_argument', 'The manifest of a Service is required')
      })
      await store.durable()
      return store.read((tx) => tx.getByUid('Service', made!.object.metadata.uid)!)
    },

    async diff(text, options) {
      const manifests = await read(text, options)
      const before = new Map(store.read((tx) => manifests.flatMap((one) => liveOf(tx, one))))
      return tryOut(manifests, options).map((applied) => {
        const { kind, object } = applied
        const { name, namespace = '' } = object.metadata
        return { kind, name, namespace, before: before.get(keyOf(applied)), after: object }
      })
    },

    async deleteManifest(text, { ignoreMissing = false, namespace, cascade, ...options }) {
      const names = assertAll(await reader.read(text, { as: 'names', ...(namespace && { namespace }) }))
      failpoint('delete.record')
      return await write((tx) => {
        // All are looked for first: some go with others, as with their namespace.
        const found = names.map((at) => {
          const { kind, namespace, name } = at
          const object = tx.get(kind, name, namespace)
          if (object !== undefined) return nameOf(kind, object)
          const absent = failureOf(at, { kind, metadata: { name, namespace } }, missing(kind, name, namespace))
          return ignoreMissing ? undefined : absent
        })
        const objects = assertAll(found.filter((one) => one !== undefined))
        const deletion = new Deletion(tx, options)
        for (const { kind, uid } of objects) {
          const object = tx.getByUid(kind, uid)
          if (object !== undefined) deletion.delete(kind, object, cascade)
        }
        return objects
      })
    },

    async delete(kind, ref, namespace, { cascade, ...options } = {}) {
      failpoint('delete.record')
      return await write((tx) => {
        const object = findObject(tx, kind, ref, namespace)
        new Deletion(tx, options).delete(kind, object, cascade)
        return nameOf(kind, object)
      })
    },

    async untilGone(ctx, objects) {
      const { left, after } = store.read((tx) => {
        const own = objects.filter(({ kind, uid }) => tx.getByUid(kind, uid) !== undefined).map(({ uid }) => uid)
        return { left: new Set([...own, ...podsGoingWith(tx, objects)]), after: tx.revision() }
      })
      if (left.size === 0) return
      const kinds = [...new Set([...objects.map(({ kind }) => kind), 'Pod' as const])]
      for await (const { action, object } of store.watch(ctx, { kinds, after })) {
        if (action === 'deleted') left.delete(object.metadata.uid)
        if (left.size === 0) return
      }
      throwIfEnded(ctx)
    },

    find: (kind, ref, namespace) => store.read((tx) => findObject(tx, kind, ref, namespace)),
    list: (kind, options = {}) => store.read((tx) => tx.list(kind)).filter((object) => fits(object, options)),
    watch: (ctx, kind, options = {}) => watchObjects(ctx, store, kind, options),

    async scale(ref, replicas, namespace) {
      if (!Number.isSafeInteger(replicas) || replicas < 0 || replicas > MAX_REPLICAS) {
        throw new StatusError(
          'invalid_argument',
          `Invalid number of replicas: ${replicas}; it is from 0 to ${MAX_REPLICAS}`,
        )
      }
      failpoint('scale.record')
      return await write((tx) => {
        const set = findObject(tx, 'ReplicaSet', ref, namespace)
        return tx.put('ReplicaSet', { ...set, spec: { ...set.spec, replicas } })
      })
    },

    async setStopped(ref, stopped, namespace) {
      failpoint('pod.stop.record')
      return await write((tx) => {
        const pod = findObject(tx, 'Pod', ref, namespace)
        const { stopped: _, ...spec } = pod.spec
        return tx.put('Pod', { ...pod, spec: stopped ? { ...spec, stopped } : spec })
      })
    },

    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
  return resources
}

/** The uids of pods that are on their way out with the objects that own them. */
function podsGoingWith(tx: ReadTx, owners: readonly ObjectName[]): string[] {
  const uids = new Set(owners.map(({ uid }) => uid))
  return tx
    .list('Pod')
    .filter(({ metadata }) => metadata.deletedAt !== undefined)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uids.has(uid)))
    .map(({ metadata }) => metadata.uid)
}

/** @throws {StatusError} `already_exists` */
function assertNew(applied: AppliedObject): AppliedObject {
  if (applied.action === 'created') return applied
  const { name, namespace } = applied.object.metadata
  throw new StatusError('already_exists', `${applied.kind} "${name}" already exists in namespace "${namespace}"`)
}

function manifestsAs({ raind, namespace }: ApplyOptions): Reading & { as: 'manifests' } {
  return { as: 'manifests', ...(raind && { raind }), ...(namespace && { namespace }) }
}

function keyOf({ kind, object: { metadata } }: Pick<AppliedObject, 'kind' | 'object'>): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
}

function liveOf(tx: ReadTx, { manifest }: ReadManifest): [string, KubeObject][] {
  const { kind, metadata } = manifest
  const live = tx.get(kind, metadata.name ?? '', namespaceOf(manifest))
  if (live === undefined) return []
  const object = kubeObject(kind, live)
  return [[keyOf({ kind, object }), object]]
}
