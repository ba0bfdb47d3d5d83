import { randomUUID } from 'node:crypto'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Kinds } from '../model/kinds.ts'
import { KUBE_KINDS, type KubeKind } from '../model/kube/kinds.ts'
import { selects } from '../model/kube/label-selector.ts'
import { DEFAULT_NAMESPACE } from '../model/meta.ts'
import type { ReadTx, Store, WriteTx } from '../store/index.ts'
import { type AppliedObject, type ApplyOptions, applyManifest, namespaceOf, readManifests } from './apply.ts'
import { deleteObject } from './delete.ts'
import { type ManifestDocument, readDocuments } from './documents.ts'
import { kubeObject } from './kube-object.ts'
import type { ListOptions, ObjectChange, ObjectName, Resources } from './types.ts'

export interface ResourcesOptions {
  readonly store: Store
  /** CIDR text: where Services get their addresses from. */
  readonly serviceSubnet: string
}

/** Thrown inside a transaction to take it back. */
class DryRun extends Error {}

export function createResources({ store, serviceSubnet }: ResourcesOptions): Resources {
  ensureNamespaces(store, [DEFAULT_NAMESPACE])

  async function applyAll(
    source: string | readonly ManifestDocument[],
    options: ApplyOptions,
    then: (tx: WriteTx, applied: readonly AppliedObject[]) => void,
  ): Promise<AppliedObject[]> {
    const manifests = readManifests(typeof source === 'string' ? await readDocuments(source) : source, options)
    failpoint('apply.record')
    return store.write((tx) => {
      const missing = new Set(manifests.map(({ manifest }) => namespaceOf(manifest)).filter((name) => name !== ''))
      const applied = manifests.map((manifest) => applyManifest(tx, manifest, options, serviceSubnet))
      for (const name of missing) ensureNamespace(tx, name)
      then(tx, applied)
      return applied
    })
  }

  async function write<T>(fn: (tx: WriteTx) => T extends PromiseLike<unknown> ? never : T): Promise<T> {
    const result = store.write(fn)
    await store.durable()
    return result as T
  }

  return {
    async apply(text, options) {
      const applied = await applyAll(text, options, () => {})
      await store.durable()
      return applied
    },

    async createStopped(text, network) {
      const flags = { stopped: true, ...(network && { network }) } as const
      const [made] = await applyAll(text, { manager: 'raind', raind: { zeroReplicas: true } }, (tx, applied) => {
        const [pod] = applied.map(assertNew)
        const { spec, ...rest } = tx.getByUid('Pod', pod!.object.metadata.uid)!
        tx.put('Pod', { ...rest, spec: { ...spec, ...flags } })
      })
      await store.durable()
      return made!.object.metadata.uid
    },

    async createService(text, options) {
      const [first] = await readDocuments(text)
      const [made] = await applyAll(first === undefined ? [] : [first], options, (_tx, applied) => {
        const [service] = applied.map(assertNew)
        if (service?.kind === 'Service') return
        throw new StatusError('invalid_argument', 'The manifest of a Service is required')
      })
      await store.durable()
      return store.read((tx) => tx.getByUid('Service', made!.object.metadata.uid)!)
    },

    async diff(text, options) {
      const before = new Map<string, ReturnType<typeof kubeObject>>()
      for (const { manifest } of readManifests(await readDocuments(text), options)) {
        const { kind, metadata } = manifest
        const live = store.read((tx) => tx.get(kind, metadata.name ?? '', namespaceOf(manifest)))
        if (live !== undefined) before.set(live.metadata.uid, kubeObject(kind, live))
      }
      let applied: readonly AppliedObject[] = []
      try {
        await applyAll(text, options, (_tx, done) => {
          applied = done
          throw new DryRun()
        })
      } catch (error) {
        if (!(error instanceof DryRun)) throw error
      }
      return applied.map(({ kind, object }) => {
        const { uid, name, namespace = '' } = object.metadata
        return { kind, name, namespace, before: before.get(uid), after: object }
      })
    },

    async deleteManifest(text, { ignoreMissing = false, ...options }) {
      const documents = await readDocuments(text)
      failpoint('delete.record')
      return await write((tx) =>
        documents.flatMap(({ value, place }) => {
          const { kind, namespace, name } = identify(value, place)
          const object = tx.get(kind, name, namespace)
          if (object === undefined && ignoreMissing) return []
          if (object === undefined) throw missing(kind, name, namespace)
          deleteObject(tx, kind, object, options)
          return [nameOf(kind, object)]
        }),
      )
    },

    async delete(kind, ref, namespace, options = {}) {
      failpoint('delete.record')
      return await write((tx) => {
        const object = findObject(tx, kind, ref, namespace)
        deleteObject(tx, kind, object, options)
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
      if (!Number.isSafeInteger(replicas) || replicas < 0) {
        throw new StatusError('invalid_argument', `Invalid number of replicas: ${replicas}; it is 0 or more`)
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
  }
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

async function* watchObjects(
  ctx: Ctx,
  store: Store,
  kind: KubeKind,
  options: ListOptions,
): AsyncGenerator<ObjectChange, void, undefined> {
  const { present, after } = store.read((tx) => ({ present: tx.list(kind), after: tx.revision() }))
  for (const object of present) {
    if (fits(object, options)) yield { type: 'ADDED', object: kubeObject(kind, object) }
  }
  const types = { created: 'ADDED', updated: 'MODIFIED', deleted: 'DELETED' } as const
  for await (const { action, object } of store.watch(ctx, { kinds: [kind], after })) {
    const changed = object as Kinds[KubeKind]
    if (fits(changed, options)) yield { type: types[action], object: kubeObject(kind, changed) }
  }
}

function fits({ metadata }: Kinds[KubeKind], { namespace, selector }: ListOptions): boolean {
  if (namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace) return false
  return selector === undefined || selects(selector, metadata.labels)
}

function findObject<K extends KubeKind>(tx: ReadTx, kind: K, ref: string, namespace?: string): Kinds[K] {
  const place = KUBE_KINDS[kind].namespaced ? (namespace ?? DEFAULT_NAMESPACE) : ''
  const object = tx.get(kind, ref, place) ?? tx.getByUid(kind, ref)
  if (object === undefined) throw missing(kind, ref, place)
  return object
}

/** kind, namespace and name of a manifest that need not be whole. */
function identify(value: unknown, place: string): { kind: KubeKind; namespace: string; name: string } {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } }
  const known = typeof kind === 'string' && Object.hasOwn(KUBE_KINDS, kind) ? (kind as KubeKind) : undefined
  if (known === undefined) {
    const what = kind === undefined ? 'kind is required' : `unsupported kind: ${String(kind).slice(0, 100)}`
    throw new StatusError('invalid_argument', `The manifest cannot be read: ${place}: ${what}`)
  }
  const { name, namespace } = metadata ?? {}
  if (typeof name !== 'string' || name === '') {
    throw new StatusError('invalid_argument', `The manifest cannot be read: ${place}: metadata.name is required`)
  }
  const own = typeof namespace === 'string' && namespace !== '' ? namespace : DEFAULT_NAMESPACE
  return { kind: known, name, namespace: KUBE_KINDS[known].namespaced ? own : '' }
}

function missing(kind: KubeKind, name: string, namespace: string): StatusError {
  const where = namespace === '' ? '' : ` in namespace "${namespace}"`
  return new StatusError('not_found', `${kind.toLowerCase()} not found: there is no "${name.slice(0, 300)}"${where}`)
}

function nameOf(kind: KubeKind, { metadata }: Kinds[KubeKind]): ObjectName {
  const { name, namespace, uid } = metadata
  return { kind, name, namespace, uid }
}

function ensureNamespaces(store: Store, names: readonly string[]): void {
  store.write((tx) => {
    for (const name of names) ensureNamespace(tx, name)
  })
}

/** As Raind's manifests expect it: a namespace need not be made before it is used. */
function ensureNamespace(tx: WriteTx, name: string): void {
  const known = tx.get('Namespace', name, '')
  if (known === undefined) {
    const labels = { 'kubernetes.io/metadata.name': name }
    tx.create('Namespace', { namespace: '', name, uid: randomUUID(), labels, spec: {}, status: { phase: 'Active' } })
  } else if (known.metadata.deletedAt !== undefined) {
    throw new StatusError('conflict', `Namespace "${name}" is being deleted: wait until it is gone`)
  }
}
