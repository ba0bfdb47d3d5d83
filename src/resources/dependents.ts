import type { Kinds } from '../model/kinds.ts'
import { KUBE_KINDS, type KubeKind } from '../model/kube/kinds.ts'
import type { ObjectMeta, OwnerReference } from '../model/meta.ts'
import type { ReadTx } from '../store/index.ts'

const KINDS = Object.keys(KUBE_KINDS) as readonly KubeKind[]

export interface Dependent {
  readonly kind: KubeKind
  readonly uid: string
  readonly namespace: string
  readonly blocks: boolean
}

/** By the uids of owners what belongs to them, as of now. */
export function dependentsByOwner(tx: ReadTx): ReadonlyMap<string, readonly Dependent[]> {
  const byOwner = new Map<string, Dependent[]>()
  for (const kind of KINDS) {
    for (const { metadata } of tx.list(kind)) {
      for (const reference of metadata.ownerReferences ?? []) {
        const { uid, namespace } = metadata
        const dependent = { kind, uid, namespace, blocks: reference.blockOwnerDeletion === true }
        const known = byOwner.get(reference.uid)
        if (known === undefined) byOwner.set(reference.uid, [dependent])
        else known.push(dependent)
      }
    }
  }
  return byOwner
}

/** Whether such an owner can have it: one of its namespace, or one that is in none. */
export function canOwn(owner: Pick<ObjectMeta, 'namespace'>, dependent: Pick<ObjectMeta, 'namespace'>): boolean {
  return owner.namespace === '' || owner.namespace === dependent.namespace
}

/**
 * Whether an owner is there. Of a kind that is not known here, and of an owner in a namespace of what is in none, nobody
 * can tell: as in a cluster that counts as if it were.
 */
export function isPresent(tx: ReadTx, dependent: ObjectMeta, { apiVersion, kind, uid }: OwnerReference): boolean {
  if (!Object.hasOwn(KUBE_KINDS, kind)) return true
  const facts = KUBE_KINDS[kind as KubeKind]
  if (facts.apiVersion !== apiVersion || (dependent.namespace === '' && facts.namespaced)) return true
  const owner: Kinds[KubeKind] | undefined = tx.getByUid(kind as KubeKind, uid)
  return owner !== undefined && canOwn(owner.metadata, dependent)
}
