import { StatusError } from '../lib/errors.ts'
import type { Kinds } from '../model/kinds.ts'
import type { KubeKind } from '../model/kube/kinds.ts'
import type { Namespace, Pod } from '../model/kube/stored.ts'
import { DEFAULT_NAMESPACE, type ObjectMeta } from '../model/meta.ts'
import type { WriteTx } from '../store/index.ts'
import { canOwn, type Dependent, dependentsByOwner, isPresent } from './dependents.ts'
import { deletePod } from './pods.ts'

export interface DeleteOptions {
  /** Of pods, in s: instead of their own. */
  readonly graceSeconds?: number
  /** Of what the object owns. `background`: it goes after the object; `foreground`: before it; `orphan`: it stays. */
  readonly cascade?: Cascade
}

export type Cascade = 'background' | 'foreground' | 'orphan'

/** metav1.FinalizerDeleteDependents: the object waits for what it owns. */
export const FOREGROUND = 'foregroundDeletion'

/** What goes with its namespace; pods go first, in their time, and after what would make new ones. */
const IN_NAMESPACES = ['ReplicaSet', 'Service', 'Pod', 'ConfigMap', 'Secret'] as const

/**
 * Deletes objects, in one transaction with what goes with them. A pod goes in its time, a namespace when it is empty, and
 * what has finalizers when they are gone; all else at once. What belongs to an object goes when the object has gone and no
 * other owner is left (https://kubernetes.io/docs/concepts/architecture/garbage-collection/).
 */
export class Deletion {
  readonly #tx: WriteTx
  readonly #graceSeconds: number | undefined
  #byOwner: ReturnType<typeof dependentsByOwner> | undefined
  /** Chains of owners may be long. */
  readonly #left: (() => void)[] = []

  constructor(tx: WriteTx, { graceSeconds }: Pick<DeleteOptions, 'graceSeconds'> = {}) {
    this.#tx = tx
    this.#graceSeconds = graceSeconds
  }

  /** @throws {StatusError} `failed_precondition` for what cannot be deleted */
  delete<K extends KubeKind>(kind: K, object: Kinds[K], cascade: Cascade = 'background'): void {
    this.#delete(kind, object, cascade)
    this.#settle()
  }

  /** Takes the record of an object away that has been deleted, unless something holds it; a pod's is its controller's. */
  finish<K extends KubeKind>(kind: K, { metadata }: Kinds[K]): void {
    if (metadata.deletedAt === undefined || kind === 'Pod') return
    if ((metadata.finalizers ?? []).length > 0) return
    if (kind === 'Namespace' && !this.#isEmpty(metadata.name)) return
    this.remove(kind, metadata)
  }

  /** Takes the record of an object away, with what goes with it. */
  remove(kind: KubeKind, metadata: ObjectMeta): void {
    this.#remove(kind, metadata)
    this.#settle()
  }

  /** Takes an object away that waits for what it owns, once nothing of that is left. */
  finishForeground(kind: KubeKind, uid: string): void {
    const object = this.#tx.getByUid(kind, uid)
    if (object?.metadata.deletedAt === undefined) return
    const { finalizers = [] } = object.metadata
    if (!finalizers.includes(FOREGROUND) || this.#blockersOf(object.metadata).length > 0) return
    const left = finalizers.filter((finalizer) => finalizer !== FOREGROUND)
    this.finish(kind, this.#withFinalizers(kind, object, left))
  }

  #settle(): void {
    for (let next = this.#left.pop(); next !== undefined; next = this.#left.pop()) next()
  }

  #delete<K extends KubeKind>(kind: K, object: Kinds[K], cascade: Cascade): void {
    const { metadata } = object
    if (kind === 'Namespace') {
      this.#deleteNamespace(object as Namespace)
      return
    }
    if (cascade === 'orphan') {
      for (const dependent of this.#dependentsOf(metadata)) this.#disown(dependent, metadata.uid)
    }
    const waits = cascade === 'foreground' && this.#goFirst(kind, metadata)
    const finalizers = [...new Set([...(metadata.finalizers ?? []), ...(waits ? [FOREGROUND] : [])])]
    const held = finalizers.length === 0 ? object : this.#withFinalizers(kind, object, finalizers)
    if (kind === 'Pod') deletePod(this.#tx, held as Pod, this.#graceSeconds)
    else if (finalizers.length > 0) this.#mark(kind, held)
    else this.#remove(kind, metadata)
  }

  /** Has what blocks an owner go before it. False: there is nothing to wait for. */
  #goFirst(kind: KubeKind, owner: ObjectMeta): boolean {
    const blockers = this.#blockersOf(owner)
    // The last comes first: when it is this one's turn, most of them have gone.
    if (blockers.length > 0) this.#left.push(() => this.finishForeground(kind, owner.uid))
    for (const dependent of blockers) this.#left.push(() => this.#release(dependent, owner.uid, 'foreground'))
    return blockers.length > 0
  }

  /** What keeps an object from going before it. */
  #blockersOf(owner: ObjectMeta): readonly Dependent[] {
    return this.#dependentsOf(owner).filter(({ blocks, kind, uid }) => {
      const references = this.#tx.getByUid(kind, uid)?.metadata.ownerReferences ?? []
      return blocks && references.some((reference) => reference.uid === owner.uid)
    })
  }

  #remove(kind: KubeKind, metadata: ObjectMeta): void {
    const { uid } = metadata
    for (const lease of this.#tx.list('PortLease', { ownerUid: uid })) this.#tx.delete('PortLease', lease.metadata.uid)
    const dependents = this.#dependentsOf(metadata)
    this.#tx.delete(kind, uid)
    for (const dependent of dependents) this.#left.push(() => this.#release(dependent, uid, 'background'))
  }

  /** One of the owners is on its way out: it goes, too, or loses that one if it has others that stay. */
  #release(dependent: Dependent, owner: string, cascade: Cascade): void {
    const object = this.#tx.getByUid(dependent.kind, dependent.uid)
    if (object === undefined || object.metadata.deletedAt !== undefined) return
    const { metadata } = object
    if (isPermanent(dependent.kind, metadata)) return
    const { ownerReferences = [] } = metadata
    const others = ownerReferences.filter(({ uid }) => uid !== owner)
    // It has been given up meanwhile.
    if (others.length === ownerReferences.length) return
    if (others.some((other) => isPresent(this.#tx, metadata, other))) this.#disown(dependent, owner)
    // What waits for each other would wait for ever.
    else this.#delete(dependent.kind, object, this.#hasStayingDependents(metadata) ? cascade : 'background')
  }

  #hasStayingDependents(owner: ObjectMeta): boolean {
    return this.#dependentsOf(owner).some(
      ({ kind, uid }) => this.#tx.getByUid(kind, uid)?.metadata.deletedAt === undefined,
    )
  }

  #disown({ kind, uid }: Dependent, owner: string): void {
    const object = this.#tx.getByUid(kind, uid)
    if (object === undefined) return
    const { ownerReferences = [], ...metadata } = object.metadata
    const left = ownerReferences.filter((reference) => reference.uid !== owner)
    this.#tx.put(kind, { ...object, metadata: { ...metadata, ownerReferences: left } } as Kinds[typeof kind])
  }

  #dependentsOf(owner: ObjectMeta): readonly Dependent[] {
    this.#byOwner ??= dependentsByOwner(this.#tx)
    return (this.#byOwner.get(owner.uid) ?? []).filter((dependent) => canOwn(owner, dependent))
  }

  #deleteNamespace(namespace: Namespace): void {
    const { name, uid } = namespace.metadata
    if (isPermanent('Namespace', namespace.metadata)) {
      throw new StatusError('failed_precondition', `Cannot delete namespace "${name}": it is always there`)
    }
    for (const kind of IN_NAMESPACES) {
      for (const { metadata } of this.#tx.list(kind, { namespace: name })) {
        const object = this.#tx.getByUid(kind, metadata.uid)
        if (object !== undefined) this.delete(kind, object)
      }
    }
    this.#mark('Namespace', namespace)
    this.finish('Namespace', this.#tx.putStatus('Namespace', uid, { phase: 'Terminating' }))
  }

  #isEmpty(namespace: string): boolean {
    return IN_NAMESPACES.every((kind) => this.#tx.count(kind, { namespace }) === 0)
  }

  #withFinalizers<K extends KubeKind>(kind: K, object: Kinds[K], finalizers: readonly string[]): Kinds[K] {
    return this.#tx.put(kind, { ...object, metadata: { ...object.metadata, finalizers } } as Kinds[K])
  }

  #mark<K extends KubeKind>(kind: K, object: Kinds[K]): void {
    const metadata: ObjectMeta = { ...object.metadata, deletedAt: object.metadata.deletedAt ?? Date.now() }
    this.#tx.put(kind, { ...object, metadata } as Kinds[K])
  }
}

/** The namespace that is always there. */
export function isPermanent(kind: KubeKind, { name }: ObjectMeta): boolean {
  return kind === 'Namespace' && name === DEFAULT_NAMESPACE
}
