import { StatusError } from '../lib/errors.ts'
import type { Kinds } from '../model/kinds.ts'
import type { KubeKind } from '../model/kube/kinds.ts'
import type { Namespace, Pod, ReplicaSet } from '../model/kube/stored.ts'
import { DEFAULT_NAMESPACE, type ObjectMeta } from '../model/meta.ts'
import type { WriteTx } from '../store/index.ts'
import { deletePod } from './pods.ts'

export interface DeleteOptions {
  /** Of pods, in s: instead of their own. */
  readonly graceSeconds?: number
  /** `orphan`: what the object owns stays. */
  readonly cascade?: 'background' | 'orphan'
}

/** What goes with its namespace; pods go first, in their time, and after what would make new ones. */
const IN_NAMESPACES = ['ReplicaSet', 'Service', 'Pod', 'ConfigMap', 'Secret'] as const

/**
 * Deletes an object, in one transaction with what goes with it. A pod goes in its time, a namespace when it is empty, and
 * what has finalizers when they are gone; all else at once.
 * @throws {StatusError} `failed_precondition` for what cannot be deleted
 */
export function deleteObject<K extends KubeKind>(
  tx: WriteTx,
  kind: K,
  object: Kinds[K],
  options: DeleteOptions = {},
): void {
  if (kind === 'Pod') {
    deletePod(tx, object as Pod, options.graceSeconds)
    return
  }
  if (kind === 'Namespace') {
    deleteNamespace(tx, object as Namespace, options)
    return
  }
  if (kind === 'ReplicaSet') {
    for (const pod of podsOf(tx, object as ReplicaSet)) {
      if (options.cascade === 'orphan') disown(tx, pod, object.metadata.uid)
      else deletePod(tx, pod, options.graceSeconds)
    }
  }
  for (const lease of tx.list('PortLease', { ownerUid: object.metadata.uid }))
    tx.delete('PortLease', lease.metadata.uid)
  if ((object.metadata.finalizers ?? []).length === 0) tx.delete(kind, object.metadata.uid)
  else mark(tx, kind, object)
}

/** What is left of namespaces that are to go, once nothing is in them. */
export function finishNamespace(tx: WriteTx, namespace: Namespace): void {
  const { name, uid, deletedAt } = namespace.metadata
  if (deletedAt !== undefined && IN_NAMESPACES.every((kind) => tx.count(kind, { namespace: name }) === 0)) {
    tx.delete('Namespace', uid)
  }
}

function deleteNamespace(tx: WriteTx, namespace: Namespace, options: DeleteOptions): void {
  const { name } = namespace.metadata
  if (name === DEFAULT_NAMESPACE) {
    throw new StatusError('failed_precondition', `Cannot delete namespace "${name}": it is always there`)
  }
  for (const kind of IN_NAMESPACES) {
    for (const { metadata } of tx.list(kind, { namespace: name })) {
      const object = tx.getByUid(kind, metadata.uid)
      if (object !== undefined) deleteObject(tx, kind, object, options)
    }
  }
  const { uid } = namespace.metadata
  mark(tx, 'Namespace', namespace)
  finishNamespace(tx, tx.putStatus('Namespace', uid, { phase: 'Terminating' }))
}

function podsOf(tx: WriteTx, { metadata }: ReplicaSet): Pod[] {
  return tx
    .list('Pod', { namespace: metadata.namespace })
    .filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid))
}

function disown(tx: WriteTx, pod: Pod, owner: string): void {
  const ownerReferences = (pod.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner)
  tx.put('Pod', { ...pod, metadata: { ...pod.metadata, ownerReferences } })
}

function mark<K extends KubeKind>(tx: WriteTx, kind: K, object: Kinds[K]): void {
  const metadata: ObjectMeta = { ...object.metadata, deletedAt: object.metadata.deletedAt ?? Date.now() }
  tx.put(kind, { ...object, metadata } as Kinds[K])
}
